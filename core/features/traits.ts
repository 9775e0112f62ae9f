/** What families may know of features, to take each in their own way (models/view). */
import type { Traits } from '../models/model.ts';
import { largestFloat, toFloat } from './clip.ts';
import { layOut, standardOf } from './layout.ts';
import type { FittedCategory, Preprocess } from './preprocess.ts';
import { scaled } from './scale.ts';
import type { Standard } from './standard.ts';

/** Of the features, in the order of the matrix. */
export function traitsOf({ columns, crosses = [] }: Pick<Preprocess, 'columns' | 'crosses'>): Traits {
  const layout = layOut(columns);
  const numbers: (Standard | undefined)[] = [...layout.map((feature) => standardOfValue(columns, feature)), ...crosses];
  return {
    // Scaling never changes an order, so that to scale and then to clip is to clip and then to scale. The bounds of what is not clipped may
    // become infinite by it, which no JSON can say.
    impute: numbers.map((number) => (number ? scaled(number.impute, number) : 0)),
    low: numbers.map((number) => (number ? toFloat(scaled(number.low, number)) : -largestFloat)),
    high: numbers.map((number) => (number ? toFloat(scaled(number.high, number)) : largestFloat)),
    categories: layout.flatMap(({ column, is }, code) =>
      is === 'code'
        ? {
            code,
            values: (columns[column] as FittedCategory).values.length,
            flags: layout.flatMap((other, at) => (other.column === column && other.is !== 'code' ? [at] : [])),
          }
        : [],
    ),
  };
}

const standardOfValue: typeof standardOf = (columns, feature) => (feature.is === 'value' ? standardOf(columns, feature) : undefined);

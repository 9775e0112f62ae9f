/** Explains answers: what each raw column added to a model's raw output. Loaded on the first request that asks for it. */
import type { Answered } from '../answers/answers.ts';
import { IngotError } from '../errors.ts';
import { layOut } from '../features/layout.ts';
import type { Preprocess } from '../features/preprocess.ts';
import { transform } from '../features/tabular.ts';
import type { RawRows } from '../serving/rows.ts';
import type { Label, Predictor } from '../serving/session.ts';
import type { Frame } from '../table/frame.ts';
import type { RawKind } from './additive.ts';
import type { ExplainData } from './explain-file.ts';
import { type Contributions, exactExplainer, type PartExplainer, type SumExplainer } from './feature-shap.ts';
import { sampledContributions } from './sampled-shap.ts';

/** Base and contributions sum to the raw value. */
export interface Explanation {
  /** By raw column. */
  contributions: Record<string, number>;
  /** The mean raw output of the rows that the model was fitted on. */
  base: number;
  /** What is explained: of two classes always the second; of more the one that is answered. */
  raw: { is: RawKind; class?: Label; value: number };
}

/** An explanation may take a tenth of a second where trees are many and deep. */
export const mostRows = 200;
const seed = 0;

export class Explainer {
  private readonly data: ExplainData;
  private readonly exact: PartExplainer | SumExplainer | undefined;

  constructor(data: ExplainData) {
    this.data = data;
    if ('grounds' in data) this.exact = exactExplainer(data.additive, data.grounds);
  }

  /**
   * @param answered what the graph answered to the rows
   * @throws IngotError PayloadTooLarge where the rows are many
   */
  explain(predictor: Predictor, rows: RawRows, answered: Answered): Explanation[] {
    if (rows.rows > mostRows) {
      throw new IngotError('PayloadTooLarge', `${rows.rows} rows are too many to explain in one request.`, {
        where: 'query explain',
        fix: `Send at most ${mostRows} rows, or leave explain out.`,
      });
    }
    const { preprocess } = this.data;
    const contributions = this.exact?.of(transform(preprocess, frameOf(preprocess, rows)));
    return Array.from({ length: rows.rows }, (_, row) => {
      const output = answered.task === 'regression' ? 0 : answered.classes === 2 ? 1 : answered.labels[row]!;
      const label = answered.task === 'classification' && { class: predictor.labels[output]! };
      const found = contributions ? this.exactly(contributions, row, output) : this.sampled(predictor, oneRow(rows, row), output);
      return this.told(found, label);
    });
  }

  private told({ contributions, base, is }: Found, label: false | { class: Label }): Explanation {
    const { columns } = this.data.preprocess;
    const value = contributions.reduce((sum, each) => sum + each, base);
    return {
      contributions: Object.fromEntries(columns.map(({ name }, i) => [name, contributions[i]!])),
      base,
      raw: { is, ...label, value },
    };
  }

  private exactly(contributions: Contributions, row: number, output: number): Found {
    const { preprocess } = this.data;
    const { additive } = this.data as Extract<ExplainData, { additive: unknown }>;
    const at = additive.outputs === 1 ? 0 : output;
    const byColumn = new Float64Array(preprocess.columns.length);
    const byFeature = contributions(row, at);
    const layout = layOut(preprocess.columns);
    layout.forEach(({ column }, feature) => {
      byColumn[column]! += byFeature[feature]!;
    });
    // What a cross contributes is as much of the one column's as of the other's.
    preprocess.crosses?.forEach(({ a, b }, i) => {
      for (const column of [a, b]) byColumn[column]! += byFeature[layout.length + i]! / 2;
    });
    return { contributions: byColumn, base: this.exact!.bases[at]!, is: additive.is };
  }

  private sampled(predictor: Predictor, row: RawRows, output: number): Found {
    const { background } = this.data as Extract<ExplainData, { background: unknown }>;
    const ask = (asked: RawRows) => {
      const answered = predictor.run(asked);
      if (answered.task === 'regression') return answered.values;
      const { classes, probabilities } = answered;
      return Float64Array.from({ length: asked.rows }, (_, i) => probabilities[i * classes + output]!);
    };
    return { ...sampledContributions(row, background, ask, seed), is: predictor.card.task === 'regression' ? 'value' : 'probability' };
  }
}

interface Found {
  /** By raw column. */
  contributions: Float64Array;
  base: number;
  is: RawKind;
}

function oneRow({ columns }: RawRows, row: number): RawRows {
  return { rows: 1, columns: columns.map((column) => column.slice(row, row + 1)) };
}

function frameOf({ columns }: Preprocess, rows: RawRows): Frame {
  return {
    rows: rows.rows,
    columns: columns.map(({ name, type }, i) => {
      const cells = rows.columns[i]!;
      if (!Array.isArray(cells)) return { type: 'number', name, values: cells };
      const dictionary = [...new Set(cells)].filter((text) => text !== '');
      const codes = new Map(dictionary.map((text, code) => [text, code]));
      return {
        type: type === 'boolean' ? type : 'category',
        name,
        codes: Int32Array.from(cells, (text) => codes.get(text) ?? -1),
        dictionary,
      };
    }),
  };
}

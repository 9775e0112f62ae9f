/** The kinds of columns whose raw value becomes some numbers, by the type of what was fitted. */
import type { GraphBuilder } from '../onnx/graph-builder.ts';
import type { CategoryColumn, FrameColumn, NumberColumn } from '../table/frame.ts';
import { dates } from './date.ts';
import type { Derivation, Derived } from './derivation.ts';
import type { FittedDerived } from './preprocess.ts';
import { fitStandard } from './standard.ts';
import { deriveOutOfFold, encodings, type Learning } from './target-encoding.ts';
import { deriveTextOutOfFold, texts } from './text.ts';
import { wideNumbers } from './wide-number.ts';

const derivations: {
  [T in FittedDerived['type']]:
    | Derivation<Extract<FittedDerived, { type: T }>, CategoryColumn>
    | Derivation<Extract<FittedDerived, { type: T }>, NumberColumn>;
} = {
  date: dates,
  encoding: encodings,
  text: texts,
  wide: wideNumbers,
};

// The type of a fitted column and that of its derivation go together, which the compiler can't follow through the table.
const of = ({ type }: FittedDerived) => derivations[type] as unknown as Derivation<FittedDerived, FrameColumn>;

export const derive = (fitted: FittedDerived, column: FrameColumn): Float32Array[] => of(fitted).derive(fitted, column);
/** What each graph has derived of its inputs: each member of a mixture asks for it. */
const derivedIn = new WeakMap<GraphBuilder, Map<string, string>>();

/** What is derived of an input in the graph, once however often it is asked for. */
export function onceIn(graph: GraphBuilder, input: string, derived: () => string): string {
  const known = derivedIn.get(graph) ?? new Map<string, string>();
  derivedIn.set(graph, known);
  const tensor = known.get(input) ?? derived();
  known.set(input, tensor);
  return tensor;
}

/** The column's numbers in the graph. @returns float32 [N, numbers] */
export function derivedToOnnx(graph: GraphBuilder, fitted: FittedDerived, input: string): string {
  return onceIn(graph, input, () => of(fitted).toOnnx(graph, fitted, input));
}
export const probesOf = (fitted: FittedDerived): string[] | number[] => of(fitted).probes(fitted);

/** The numbers of the very rows that it was fitted on. */
export function deriveTrain(fitted: FittedDerived, column: FrameColumn, learning: Learning | undefined): Float32Array[] {
  if (learning !== undefined && column.type !== 'number') {
    if (fitted.type === 'encoding') return deriveOutOfFold(fitted, column, learning);
    if (fitted.type === 'text') return deriveTextOutOfFold(fitted, column, learning);
  }
  return derive(fitted, column);
}

/** Adds how each of its numbers becomes a feature. @param keep gets the numbers of the train rows */
export function withNumbers<F extends FittedDerived>(
  fitted: Omit<F, keyof Derived> & Omit<Derived, 'numbers'>,
  column: FrameColumn,
  learning: Learning | undefined,
  keep?: (numbers: Float32Array[]) => void,
): F {
  const open = { ...fitted, numbers: [] } as unknown as F;
  const names = of(open).names(open);
  const derived = deriveTrain(open, column, learning);
  keep?.(derived);
  const numbers = derived.map((values, i) => ({
    name: names[i]!,
    ...fitStandard(values, { isExact: fitted.type === 'wide' }),
  }));
  return { ...open, numbers };
}

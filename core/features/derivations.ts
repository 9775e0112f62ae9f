/** The kinds of columns whose raw value becomes some numbers, by the type of what was fitted. */
import type { GraphBuilder } from '../onnx/graph-builder.ts';
import type { FrameColumn } from '../table/frame.ts';
import { dates } from './date.ts';
import type { Derivation } from './derivation.ts';
import type { Derived, FittedDerived } from './preprocess.ts';
import { fitStandard } from './standard.ts';
import { deriveOutOfFold, encodings, type Learning } from './target-encoding.ts';

const derivations: { [T in FittedDerived['type']]: Derivation<Extract<FittedDerived, { type: T }>, never> } = {
  date: dates,
  encoding: encodings,
};

// The type of a fitted column and that of its derivation go together, which the compiler can't follow through the table.
const of = ({ type }: FittedDerived) => derivations[type] as unknown as Derivation<FittedDerived, FrameColumn>;

export const derive = (fitted: FittedDerived, column: FrameColumn): Float32Array[] => of(fitted).derive(fitted, column);
export const derivedToOnnx = (graph: GraphBuilder, fitted: FittedDerived, input: string): string => of(fitted).toOnnx(graph, fitted, input);
export const probesOf = (fitted: FittedDerived): string[] => of(fitted).probes(fitted);

/** The numbers of the very rows that it was fitted on. */
export function deriveTrain(fitted: FittedDerived, column: FrameColumn, learning: Learning | undefined): Float32Array[] {
  return fitted.type === 'encoding' && learning !== undefined && column.type !== 'number'
    ? deriveOutOfFold(fitted, column, learning)
    : derive(fitted, column);
}

/** Adds how each of its numbers becomes a feature. */
export function withNumbers<F extends FittedDerived>(
  fitted: Omit<F, keyof Derived> & Omit<Derived, 'numbers'>,
  column: FrameColumn,
  learning: Learning | undefined,
): F {
  const open = { ...fitted, numbers: [] } as unknown as F;
  const names = of(open).names(open);
  const numbers = deriveTrain(open, column, learning).map((values, i) => ({ name: names[i]!, ...fitStandard(values, { clips: false }) }));
  return { ...open, numbers };
}

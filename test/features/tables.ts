/** Tables to test with: random ones with hostile names and values, and the window through which a graph's features are seen. */
import fc from 'fast-check';
import { columnTypeOf } from '../../core/features/layout.ts';
import { numberReader } from '../../core/features/number-formats.ts';
import type { Preprocess } from '../../core/features/preprocess.ts';
import { takeRows } from '../../core/features/split.ts';
import { fit as fitFeatures } from '../../core/features/tabular.ts';
import type { Learning } from '../../core/features/target-encoding.ts';
import { buildModelGraph } from '../../core/onnx/model-graph.ts';
import type { RawRows } from '../../core/serving/rows.ts';
import type { ColumnType } from '../../core/spec.ts';
import type { Frame, FrameColumn } from '../../core/table/frame.ts';
import type { CleanReport, ColumnReport } from '../../core/table/report.ts';
import type { RowSource } from '../../core/table/stored-table.ts';

export const hostileNames = [
  '__proto__',
  'constructor',
  'toString',
  'label',
  'probabilities',
  'value',
  '',
  'Concat.1',
  '😀',
  'a "b", c',
  'x\ny',
  'n',
];

export interface Cells {
  name: string;
  type: ColumnType;
  cells: (number | string | null)[];
  /** Numbers in double precision. */
  wide?: boolean;
}

/** A table from cells: null is missing, booleans are 'true' and 'false'. */
export function frameOf(columns: readonly Cells[]): Frame {
  return {
    rows: columns[0]?.cells.length ?? 0,
    columns: columns.map(({ name, type, cells, wide }): FrameColumn => {
      if (type === 'number') {
        const numbers = cells.map((cell) => (cell === null ? Number.NaN : (cell as number)));
        return { type, name, values: wide ? Float64Array.from(numbers) : Float32Array.from(numbers) };
      }
      const dictionary = [...new Set(type === 'boolean' ? ['false', 'true', ...(cells as string[])] : (cells as string[]))].filter(
        (cell) => cell !== null,
      );
      const codeOf = new Map(dictionary.map((value, code) => [value, code]));
      return {
        type: type === 'boolean' ? type : 'category',
        name,
        dictionary,
        codes: Int32Array.from(cells, (cell) => (cell === null ? -1 : codeOf.get(cell as string)!)),
      };
    }),
  };
}

/** The same as rows that are taken from where they lie. */
export function sourceOf(columns: readonly Cells[]): RowSource {
  const frame = frameOf(columns);
  return { rows: frame.rows, take: (rows) => takeRows(frame, rows) };
}

export function reportOf(
  columns: readonly Pick<Cells, 'name' | 'type'>[],
  more: Partial<Record<string, Partial<ColumnReport>>> = {},
): CleanReport {
  return {
    dataset: 'tests',
    revision: '0'.repeat(16),
    version: '0.0.0',
    files: [],
    rows: { read: 0, kept: 0, rejected: 0, duplicates: 0, missingTarget: 0 },
    target: 'the answer',
    task: 'classification',
    classes: ['no', 'yes'],
    classType: 'string',
    inferred: [],
    columns: columns.map(({ name, type }) => ({
      name,
      type,
      role: 'feature',
      why: 'a test',
      missing: 0,
      missingTokens: {},
      distinct: 0,
      ...(Object.hasOwn(more, name) && more[name]),
    })),
    changes: [],
  };
}

export function fitCells(
  columns: readonly Cells[],
  more?: Partial<Record<string, Partial<ColumnReport>>>,
  learning?: Learning,
): Preprocess {
  return fitFeatures(frameOf(columns), reportOf(columns, more), 0, learning);
}

/** A graph whose probabilities are the features themselves. */
export function windowGraph(preprocess: Preprocess): Uint8Array {
  const seen: Preprocess = { ...preprocess, task: 'classification', classes: preprocess.features, classType: 'string' };
  return buildModelGraph({ preprocess: seen, model: { toOnnx: (graph, features) => graph.node('Identity', [features]) } });
}

function cellsOf(fitted: Preprocess['columns'][number], cells: RawRows['columns'][number]): Cells['cells'] {
  const isText = (fitted.type === 'number' || fitted.type === 'wide') && fitted.written !== undefined && Array.isArray(cells);
  if (isText) return cells.map(numberReader(fitted.written!));
  return Array.from<number | string, number | string | null>(cells, (cell) => (cell === '' ? null : cell));
}

/** Raw rows as a table, '' being missing. */
export function frameOfRows({ columns }: Preprocess, rows: RawRows): Frame {
  return frameOf(
    columns.map((fitted, i) => ({
      name: fitted.name,
      type: columnTypeOf(fitted),
      wide: fitted.type === 'wide',
      cells: cellsOf(fitted, rows.columns[i]!),
    })),
  );
}

const number = fc.oneof(
  fc.float(),
  fc.float({ noNaN: true, min: -100, max: 100 }),
  fc.constantFrom(0, -0, 1, Number.NaN, Infinity, -Infinity, 2 ** -149, -(2 ** -149), 3.4028234663852886e38, -3.4028234663852886e38),
);

const text = fc.oneof(
  fc.constantFrom('male', 'Male', ' MALE ', 'female', 'NA', '?', '__proto__', 'ß', 'İ', 'true'),
  fc.string({ unit: 'grapheme', minLength: 1, maxLength: 3 }),
  fc.string({ unit: 'binary', minLength: 1, maxLength: 3 }),
  fc.constantFrom('a\0b', 'a', '\0', 'a\0c'),
);

const boolean = fc.constantFrom('true', 'false');

const cell = { number, category: text, boolean } as const;

/** Cells of a train table, and of raw rows to predict whose categories may be unseen. */
export const tables = fc
  .record({
    names: fc.uniqueArray(fc.oneof(fc.constantFrom(...hostileNames), fc.string({ maxLength: 4 })), { minLength: 1, maxLength: 6 }),
    types: fc.array(fc.constantFrom('number', 'category', 'boolean'), { minLength: 6, maxLength: 6 }),
    rows: fc.integer({ min: 1, max: 30 }),
    asked: fc.integer({ min: 1, max: 30 }),
  })
  .chain(({ names, types, rows, asked }) =>
    fc.record({
      train: fc.tuple(
        ...names.map((name, i) =>
          fc
            .array(fc.option<number | string>(cell[types[i]!]), { minLength: rows, maxLength: rows })
            .map((cells): Cells => ({ name, type: types[i]!, cells })),
        ),
      ),
      raw: fc.tuple(
        ...names.map((_, i) =>
          types[i] === 'number'
            ? fc.array(number, { minLength: asked, maxLength: asked }).map((cells) => Float32Array.from(cells))
            : fc.array(fc.oneof(text, boolean, fc.constant('')), { minLength: asked, maxLength: asked }),
        ),
      ),
    }),
  );

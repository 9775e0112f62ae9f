import { columnOf, LazyMatrix } from './lazy-matrix.ts';
import type { Matrix } from './model.ts';

const fewValues = 2 ** 22;

/** Whether so many rows are better in memory than read again. */
export const areFew = (rows: number, { columns }: Pick<Matrix, 'columns'>): boolean => rows * columns <= fewValues;

/** The given rows of a matrix, in that order; not in memory where the matrix is not, and they are many. */
export function takeMatrix(x: Matrix, rows: Int32Array): Matrix {
  const pick = (feature: number, into: Float32Array) => {
    const from = columnOf(x, feature);
    for (let i = 0; i < rows.length; i++) into[i] = from[rows[i]!]!;
    return into;
  };
  if (x.column && !areFew(rows.length, x))
    return new LazyMatrix({ ...x, rows: rows.length }, (feature) => pick(feature, new Float32Array(rows.length)));
  const data = new Float32Array(rows.length * x.columns);
  for (let feature = 0; feature < x.columns; feature++) pick(feature, data.subarray(feature * rows.length, (feature + 1) * rows.length));
  const { columns, names, traits } = x;
  return { rows: rows.length, columns, names, data, ...(traits && { traits }) };
}

/** The given rows of a matrix that comes part by part. */
export class PickedRows {
  private readonly rows: Int32Array;
  private picked: Matrix | undefined;
  private place = 0;

  /** @param rows ascending */
  constructor(rows: Int32Array) {
    this.rows = rows;
  }

  /** The next part, of rows from `from` on. */
  add(part: Matrix, from: number): void {
    const { rows } = this;
    const { columns, names, traits } = part;
    this.picked ??= { rows: rows.length, columns, names, data: new Float32Array(rows.length * columns), ...(traits && { traits }) };
    for (; this.place < rows.length && rows[this.place]! < from + part.rows; this.place++)
      for (let feature = 0; feature < columns; feature++)
        this.picked.data[feature * rows.length + this.place] = part.data[feature * part.rows + rows[this.place]! - from]!;
  }

  /** @throws RangeError where not all rows have come */
  get matrix(): Matrix {
    if (!this.picked || this.place < this.rows.length) throw new RangeError(`${this.place} of ${this.rows.length} rows have come`);
    return this.picked;
  }
}

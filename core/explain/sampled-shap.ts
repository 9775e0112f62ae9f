/**
 * Shapley values of any model by sampling (Castro, Gómez and Tejada 2009): columns of a background row are replaced by the row's own, one after
 * the other in a drawn order; what the answer moves by is the column's. An order and its reverse go together (Mitchell et al. 2022). Each
 * walk ends at the row's own answer, so that base and contributions sum to it exactly, however few the walks.
 */
import { Random } from '../random.ts';
import type { RawRows } from '../serving/rows.ts';

/** Walks a row, two a background row. */
export const backgroundRows = 16;

/**
 * @param background raw rows, at least one
 * @param ask the number that is explained, of each of the rows asked
 * @returns by column, and the mean answer of the background
 */
export function sampledContributions(
  row: RawRows,
  background: RawRows,
  ask: (rows: RawRows) => ArrayLike<number>,
  seed: number,
): { contributions: Float64Array; base: number } {
  const width = row.columns.length;
  const random = new Random(seed);
  const orders = Array.from({ length: background.rows }, () => random.shuffle(Int32Array.from({ length: width }, (_, column) => column)));
  const walks = orders.flatMap((order, from) => [
    { from, order },
    { from, order: order.slice().reverse() },
  ]);
  const asked: RawRows = {
    rows: walks.length * (width + 1),
    columns: row.columns.map((own, column) => {
      const other = background.columns[column]!;
      const cells = walks.flatMap(({ from, order }) => {
        const turn = order.indexOf(column);
        return Array.from<unknown, number | string>({ length: width + 1 }, (_, step) => (step > turn ? own[0]! : other[from]!));
      });
      if (Array.isArray(own)) return cells as string[];
      return own instanceof Float32Array ? Float32Array.from(cells as number[]) : Float64Array.from(cells as number[]);
    }),
  };
  const answers = ask(asked);
  const contributions = new Float64Array(width);
  let base = 0;
  walks.forEach(({ order }, walk) => {
    const first = walk * (width + 1);
    base += answers[first]! / walks.length;
    order.forEach((column, turn) => {
      contributions[column]! += (answers[first + turn + 1]! - answers[first + turn]!) / walks.length;
    });
  });
  return { contributions, base };
}

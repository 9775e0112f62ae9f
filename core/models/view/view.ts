/**
 * How a family sees the features of a table: some of them as they are or filled and clipped, and categories as numbers, by a table for each.
 *
 *   features [N, F] ─┬─ Gather those taken ─ impute ─ clip ────────────────────┬─ Concat ─ the family's features [N, V]
 *                    └─ Gather codes ─ Gather the numbers of each code [N, C·T] ┘
 */

/** Codes begin here: otherCode of features/one-hot.ts. */
export const firstCode = -2;

/** Plain data, which survives JSON. */
export interface View {
  /** Features of the matrix. */
  features: number;
  /** Those that are taken, ascending. */
  takes: number[];
  /** Of each of those, where gaps and outliers are not wanted. */
  limits?: { impute: number[]; low: number[]; high: number[] };
  /** Features with codes, and of each code from firstCode on the numbers that it becomes, as many for all: [codes × numbers]. */
  ordered: { code: number; numbers: number[][] }[];
}

/** Of each of the family's features, the feature of the matrix that it is made of. */
export function sourcesOf({ takes, ordered }: View): number[] {
  return [...takes, ...ordered.flatMap(({ code, numbers }) => numbers[0]!.map(() => code))];
}

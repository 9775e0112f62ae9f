/** An expectation with its bounds. */

/** What is expected, and between which bounds nine in ten lie. */
export interface Interval {
  low: number;
  point: number;
  high: number;
}

export const exactly = (value: number): Interval => ({ low: value, point: value, high: value });

export const scale = ({ low, point, high }: Interval, factor: number): Interval => ({
  low: low * factor,
  point: point * factor,
  high: high * factor,
});

export function sum(intervals: Interval[]): Interval {
  return intervals.reduce(
    (total, { low, point, high }) => ({ low: total.low + low, point: total.point + point, high: total.high + high }),
    exactly(0),
  );
}

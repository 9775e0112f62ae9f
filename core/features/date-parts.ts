/** What becomes of a date, as `preprocess.json` has it, and what code and graph compute it with. */
import type { DateFormat } from './date-formats.ts';
import type { Derived } from './derivation.ts';

/** What is made of a date, in order: each a float32. */
export const dateParts = ['elapsed', 'year', 'month', 'day', 'weekday', 'hour', 'yearSine', 'yearCosine'] as const;
export type DatePart = (typeof dateParts)[number];

export interface FittedDate extends Derived {
  type: 'date';
  format: DateFormat;
  /** Seconds since 1970 of the train rows' earliest moment. */
  reference: number;
  /** Which of the parts vary in the train rows. */
  parts: DatePart[];
}

export const secondsADay = 86_400;

/** Where a day of the year, from 0, stands on a circle; the graph looks it up, as runtimes differ in the last bits of a sine. */
export const yearSines = Float32Array.from({ length: 366 }, (_, day) => Math.sin((2 * Math.PI * day) / 366));
export const yearCosines = Float32Array.from({ length: 366 }, (_, day) => Math.cos((2 * Math.PI * day) / 366));

import { isIP } from 'node:net';
import { holds, shareOf } from './column-sample.ts';
import type { PersonalDetector } from './detector.ts';

/** Versions of four parts look like addresses, but their parts are small. */
const isLarge = (value: string) => isIP(value) === 6 || value.split('.').some((part) => Number(part) > 99);

export const ipAddress: PersonalDetector = {
  kind: 'ip address',
  isColumn: (column) =>
    !/_(version|release|build|firmware|oid)_/.test(column.words) &&
    // `::1` is one, but so is any `::` of a log; hours and minutes are none.
    holds(column, (value) => isIP(value) !== 0, { named: /_ip(v[46])?_/, chance: 0.01 }) &&
    shareOf(column.values, isLarge) >= 0.5,
};

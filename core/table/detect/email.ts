import { holds } from './column-sample.ts';
import type { PersonalDetector } from './detector.ts';

const address = String.raw`[\p{L}\d][\p{L}\d._%+'-]{0,63}@(?:[\p{L}\d](?:[\p{L}\d-]{0,61}[\p{L}\d])?\.)+\p{L}{2,24}`;
const whole = new RegExp(`^(?:mailto:|[^<>@]{0,80}<)?${address}>?$`, 'u');

export const email: PersonalDetector = {
  kind: 'email',
  isColumn: (column) => holds(column, (value) => whole.test(value), { named: /_(e_?)?mail/, chance: 1e-6 }),
  inText: { pattern: new RegExp(`(?<![\\p{L}\\d@])${address}(?![\\p{L}\\d@])`, 'gu') },
};

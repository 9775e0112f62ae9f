export { needBytes, needJson } from '../../core/object-store.ts';

/** Written by the first; the racing twin's or the repeated attempt's equal work is dropped. */
export const once = { ifNoneMatch: '*' } as const;

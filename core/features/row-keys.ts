/** What ties rows together, where dataset.json says so: rows of one group stay on one side of every split, and of time the later are held out. */
import { IngotError } from '../errors.ts';
import type { DatasetSpec } from '../spec.ts';
import type { FrameColumn } from '../table/frame.ts';
import { instantsOf } from './date.ts';
import type { DateFormat } from './date-formats.ts';

export interface RowKeys {
  by: 'groups' | 'time';
  /** Of each row: a number that its group has, or its place in time (equal moments have equal places). */
  keys: Int32Array;
}

/** The column that a spec splits by. @throws IngotError InvalidSpec where it names two */
export function keyColumn({ groups, time }: DatasetSpec): { by: RowKeys['by']; name: string } | undefined {
  if (groups !== undefined && time !== undefined)
    throw new IngotError('InvalidSpec', 'dataset.json splits by groups and by time.', {
      where: 'dataset.json, field groups',
      fix: 'Leave one of groups and time out.',
    });
  if (groups !== undefined) return { by: 'groups', name: groups };
  return time === undefined ? undefined : { by: 'time', name: time };
}

/**
 * A row without a group is one of its own; one without a time comes first. Times are numbers, dates in a format, or texts that sort as they
 * follow each other.
 * @param format of the column's dates; a text in no such format has no time
 */
export function rowKeys(by: RowKeys['by'], column: FrameColumn, format?: DateFormat): RowKeys {
  const { length } = column.type === 'number' ? column.values : column.codes;
  const instants = by === 'time' && format && column.type !== 'number' ? instantsOf(column.dictionary, format) : undefined;
  const values: (number | string | undefined)[] = Array.from({ length }, (_, row) => {
    if (column.type === 'number') return Number.isNaN(column.values[row]!) ? undefined : column.values[row]!;
    return (instants ?? column.dictionary)[column.codes[row]!];
  });
  const distinct = [...new Set(values)].filter((value) => value !== undefined);
  if (by === 'time') distinct.sort((a, b) => (a < b ? -1 : 1));
  const places = new Map(distinct.map((value, place) => [value, place + 1]));
  const alone = (row: number) => (by === 'time' ? 0 : places.size + 1 + row);
  return { by, keys: Int32Array.from(values, (value, row) => (value === undefined ? alone(row) : places.get(value)!)) };
}

export function takeKeys({ by, keys }: RowKeys, rows: Int32Array): RowKeys {
  return { by, keys: rows.map((row) => keys[row]!) };
}

/** What a scan saw of each column, as a look (../look.ts) tells it. */
import { matcherOf } from '../../features/date-formats.ts';
import { byteOrderMark } from '../csv-records.ts';
import type { Look } from '../look.ts';
import type { Form } from '../values.ts';
import type { Scanned } from './scan.ts';

export const looksOf = ({ rows, columns }: Scanned, forms: readonly Form[]): Look[] =>
  columns.map(({ empty, others }, index) => {
    const form = forms[index]!;
    const values = empty > 0 ? [...others, ['', empty] as const] : [...others];
    const isDate = form.as === 'date' ? matcherOf(form.format) : undefined;
    const listed = isDate === undefined ? values : values.filter(([value]) => !isDate.test(value));
    const counts = new Map(listed.sort(([a, n], [b, m]) => m - n || Buffer.compare(Buffer.from(a), Buffer.from(b))));
    const plain = form.as === 'values' ? 0 : rows - [...counts.values()].reduce((sum, count) => sum + count, 0);
    return {
      form,
      rows,
      plain,
      counts,
      ...(form.as !== 'number' && { all: new Map(values) }),
      distinct: counts.size + (plain > 0 ? 1 : 0),
      suspicious: values.some(([value]) => value.startsWith(byteOrderMark)),
    };
  });

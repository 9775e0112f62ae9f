/** What of the values themselves stands in the report and in `rejects.csv`. */
import type { DatasetSpec } from '../../spec.ts';
import { formatRecord, parseRecord } from '../csv-records.ts';
import type { CleanReport, ColumnReport, SourceFile } from '../report.ts';
import { uniqueNames } from '../unique-names.ts';
import { mask } from './personal.ts';

/** Samples of values in brackets are left out where the values are somebody's, and masked elsewhere: a stray may be somebody's, too. */
export function discreetChange(
  change: CleanReport['changes'][number],
  columns: readonly ColumnReport[],
  { pii }: DatasetSpec,
): CleanReport['changes'][number] {
  const personal = columns.find(({ name }) => name === change.column)?.personal;
  if (personal?.treatment === 'kept' || (personal === undefined && pii?.policy === 'keep')) return change;
  return { ...change, reason: change.reason.replace(/ \(.*\)$/s, (samples) => (personal === undefined ? mask(samples) : '')) };
}

/** The column without strays that are somebody's: an e-mail address among numbers. */
export function discreetStrays({ strays, ...column }: ColumnReport, { pii }: DatasetSpec): ColumnReport {
  const others = pii?.policy === 'keep' ? strays : strays?.filter((stray) => mask(stray) === stray);
  return { ...column, ...(others && others.length > 0 && { strays: others }) };
}

/**
 * Takes personal data out of rows of the files. Where a row has a field for each column, those of personal columns become their kinds. Where it has
 * not, nobody knows which field is whose: of a table with personal columns only their kinds are told then.
 * @param report of the table, with what was found in it
 * @param sources the files, and what their columns are called in them
 * @param keepsTexts whether what is found inside other fields stays
 */
export function discreetRows(
  { columns }: Pick<CleanReport, 'columns'>,
  sources: readonly { file: SourceFile; names: string[] }[],
  keepsTexts: boolean,
): (file: string, row: string) => string {
  const kinds = new Map(
    columns.flatMap(({ name, personal }) =>
      personal?.treatment === 'dropped' || personal?.treatment === 'hashed' ? [[name.toLowerCase(), `[${personal.kinds.join(', ')}]`]] : [],
    ),
  );
  const files = new Map(
    sources.map(({ file: { name, delimiter, quote }, names }) => {
      const inPlace = uniqueNames(names).names.map((column) => kinds.get(column.toLowerCase()));
      return [name, { delimiter, quote, inPlace }];
    }),
  );
  return (file, row) => {
    const { delimiter, quote, inPlace } = files.get(file)!;
    // A number behind a comma may be one in a list, but here the comma is what parts the fields.
    const masked = (text: string) =>
      keepsTexts
        ? text
        : text
            .split(delimiter ?? '\n')
            .map((field) => mask(field))
            .join(delimiter);
    if (kinds.size === 0) return masked(row);
    const fields = delimiter === undefined || quote === undefined ? undefined : parseRecord(row, delimiter, quote);
    if (!Array.isArray(fields) || fields.length !== inPlace.length) return [...new Set(kinds.values())].join(' ');
    return masked(
      formatRecord(
        fields.map((field, place) => inPlace[place] ?? field),
        delimiter,
      ),
    );
  };
}

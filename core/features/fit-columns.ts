/** What is fitted of each column: the list of what a column may become. */
import type { CategoryColumn, FrameColumn } from '../table/frame.ts';
import type { CleanReport, ColumnReport } from '../table/report.ts';
import { booleanValues, fitBoolean } from './boolean.ts';
import { fitDate } from './date.ts';
import { withNumbers } from './derivations.ts';
import { missingTokens } from './missing-tokens.ts';
import { fitSpellings, frequentValues, mostValues } from './one-hot.ts';
import type { FittedCategory, FittedColumn } from './preprocess.ts';
import { fitStandard } from './standard.ts';
import { fitEncoding, type Learning } from './target-encoding.ts';
import { fitText } from './text.ts';
import { fitWide } from './wide-number.ts';

export interface FitContext {
  /** Gets the numbers that the train rows have in a column that is fitted on the target. */
  keep?: (numbers: Float32Array[]) => void;
  /** Whether there is time for the runs of characters of texts; there is, where nothing is said. */
  hasTimeForRuns?: () => boolean;
}

/** @param column of the train rows; @param learning what they are to teach, without which nothing is fitted on the target */
export function fitColumn(
  column: FrameColumn,
  report: ColumnReport,
  classes: CleanReport['classes'],
  learning?: Learning,
  { keep, hasTimeForRuns }: FitContext = {},
): FittedColumn {
  const { name } = column;
  const missing = tokensOf(report);
  if (column.type === 'number') {
    const written = report.written && { written: report.written };
    const wide = column.values instanceof Float64Array ? fitWide(column.values) : undefined;
    if (wide !== undefined) return withNumbers({ type: 'wide', name, missing, ...written, ...wide }, column, undefined);
    return { type: 'number', name, ...fitStandard(Float32Array.from(column.values), { clips: true }), missing, ...written };
  }
  if (report.date !== undefined) return withNumbers({ type: 'date', name, missing, ...fitDate(column, report.date) }, column, undefined);
  if (report.type === 'text') {
    const tokens = inAnyCase(missing);
    const fitted = fitText(column, tokens, classes, learning, hasTimeForRuns?.() ?? true);
    return withNumbers({ type: 'text', name, missing: tokens, ...fitted }, column, learning, keep);
  }
  if (learning !== undefined && column.type === 'category' && new Set(column.codes).size - 1 > mostValues) {
    const written = new Map(Object.entries(report.spellings ?? {}));
    return withNumbers({ type: 'encoding', name, ...fitEncoding(column, written, missing, classes, learning) }, column, learning, keep);
  }
  return fitCategory(column, report, missing);
}

/** Of two values, the order is that of a 0/1 feature. */
const leastOrdered = 3;

function fitCategory({ type, name, codes, dictionary }: CategoryColumn, report: ColumnReport, tokens: string[]): FittedCategory {
  const counts = new Int32Array(dictionary.length);
  let missing = 0;
  for (let i = 0; i < codes.length; i++) {
    const code = codes[i]!;
    if (code < 0) missing++;
    else counts[code]!++;
  }
  const written = new Map(Object.entries(report.spellings ?? {}));
  const indicator = missing > 0;
  if (type === 'boolean') return { type, name, values: booleanValues, ...fitBoolean(written, tokens), indicator };
  const values = frequentValues(new Map(dictionary.map((value, code) => [value, counts[code]!])), codes.length);
  const kept = new Set(values);
  const seen = [...values, ...dictionary.filter((value) => !kept.has(value))];
  return {
    type,
    name,
    values,
    ...fitSpellings(values, seen, written, tokens),
    indicator,
    ...(values.length >= leastOrdered && { ordered: true }),
  };
}

const inAnyCase = (tokens: readonly string[]) => [
  ...new Set(tokens.flatMap((token) => [token, token.toUpperCase(), token.charAt(0).toUpperCase() + token.slice(1)])),
];

/** The usual tokens, the file's own ones, and what it has among numbers that is none. */
function tokensOf({ missingTokens: own, strays = [] }: ColumnReport): string[] {
  return [...new Set([...missingTokens, ...Object.keys(own), ...strays])];
}

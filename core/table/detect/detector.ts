/** What a detector of personal data is given, and what it is. */
import type { PersonalKind } from '../report.ts';

/** Values of a column, each of them once, trimmed; and the column's name as words: `_first_name_`. */
export interface ColumnSample {
  words: string;
  values: string[];
  /** Numbers have lost their leading zeros. */
  isNumber: boolean;
}

export interface PersonalDetector {
  kind: PersonalKind;
  /** Whether the column holds this kind, cell by cell. */
  isColumn(column: ColumnSample): boolean;
  /** How it is found inside longer text; `pattern` is global. Where `chance` is told, other numbers pass the test that often. */
  inText?: { pattern: RegExp; test?: (match: string) => boolean; chance?: number };
}

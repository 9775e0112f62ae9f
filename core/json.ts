/** JSON from outside, with the place of the first mistake where it is broken: V8 does not always say where that is. */
import { type ParseError, parse, printParseErrorCode } from 'jsonc-parser';
import type { IngotError } from './errors.ts';

export interface JsonMistake {
  /** e.g. "line 3, column 12" */
  place: string;
  /** e.g. "value expected" */
  what: string;
  cause: unknown;
}

/** @param refuse makes the error of whoever asks. @throws what it makes */
export function parseJson(text: string, refuse: (mistake: JsonMistake) => IngotError): unknown {
  try {
    return JSON.parse(text);
  } catch (cause) {
    const { line, column, what } = findMistake(text);
    throw refuse({ place: `line ${line}, column ${column}`, what, cause });
  }
}

/** The first mistake of a text that is not JSON: what it is, and where, by offset (from 0) as by line and column (from 1). */
export function findMistake(text: string): { offset: number; line: number; column: number; what: string } {
  const errors: ParseError[] = [];
  parse(text, errors, { disallowComments: true, allowTrailingComma: false, allowEmptyContent: false });
  const { offset, error } = errors[0] ?? { offset: text.length, error: 4 };
  const lines = text.slice(0, offset).split('\n');
  const noNumber = /^-?(NaN|Infinity)\b/.exec(text.slice(offset, offset + 10));
  const mistake = printParseErrorCode(error)
    .replace(/([a-z])([A-Z])/g, '$1 $2')
    .toLowerCase();
  return {
    offset,
    line: lines.length,
    column: lines.at(-1)!.length + 1,
    what: noNumber ? `${noNumber[0]}, where JSON has null` : mistake,
  };
}

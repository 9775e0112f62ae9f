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
    const errors: ParseError[] = [];
    parse(text, errors, { disallowComments: true, allowTrailingComma: false, allowEmptyContent: false });
    const { offset, error } = errors[0] ?? { offset: text.length, error: 4 };
    const lines = text.slice(0, offset).split('\n');
    const noNumber = /^-?(NaN|Infinity)\b/.exec(text.slice(offset, offset + 10));
    const mistake = printParseErrorCode(error)
      .replace(/([a-z])([A-Z])/g, '$1 $2')
      .toLowerCase();
    const what = noNumber ? `${noNumber[0]}, where JSON has null` : mistake;
    throw refuse({ place: `line ${lines.length}, column ${lines.at(-1)!.length + 1}`, what, cause });
  }
}

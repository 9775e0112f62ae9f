/** Rows to predict, as the graph takes them, and the rules by which a value of a request becomes a value of a column. */
import { IngotError } from '../errors.ts';
import { exampleOf, numberReader } from '../features/number-formats.ts';
import { parseJson } from '../json.ts';
import type { CardColumn, ModelCard } from '../onnx/card.ts';

/**
 * The rows of a request, column by column in the order of the card: float32, or float64 of wide columns, with NaN for missing, however a number is written;
 * or strings with '' for missing.
 */
export interface RawRows {
  rows: number;
  columns: (Float32Array | Float64Array | string[])[];
}

const numberPattern = /^[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?$/;
/** What stands for bytes that are no UTF-8. */
const replacement = '\uFFFD';
const sendUtf8 = 'Send the body in UTF-8, whatever the encoding of the training file was, and not compressed.';
/** No numbers to cleaning either. */
const infinity = /^[+-]?inf(inity)?$/i;

const readPlain = (text: string) => (numberPattern.test(text) ? Number(text) : Number.NaN);

/** What the parsers need to know of a model, looked up once. */
export class RowSchema {
  readonly columns: readonly CardColumn[];
  /** Column name → its place; -1 for a field that is passed over. */
  readonly places: ReadonlyMap<string, number>;
  private readonly missing: readonly Set<string>[];
  private readonly readers: readonly ((text: string) => number)[];

  constructor(card: ModelCard) {
    this.columns = card.columns;
    this.places = new Map([
      ...[...card.ignored, card.target].map((name) => [name, -1] as const),
      ...card.columns.map(({ name }, place) => [name, place] as const),
    ]);
    this.missing = card.columns.map(({ missing }) => new Set(missing.map((token) => token.trim().toLowerCase())));
    this.readers = card.columns.map(({ written }) => (written ? numberReader(written) : readPlain));
  }

  /** Room for `rows` rows. @throws IngotError InvalidRequest where there are none */
  allocate(rows: number): RawRows {
    if (rows === 0) {
      throw new IngotError('InvalidRequest', 'The request has no rows.', {
        where: 'body',
        fix: 'Send at least one row.',
      });
    }
    return {
      rows,
      columns: this.columns.map(({ type, wide }) =>
        type !== 'number' ? new Array<string>(rows).fill('') : wide ? new Float64Array(rows) : new Float32Array(rows),
      ),
    };
  }

  /**
   * Puts a value where it belongs: null and missing tokens as missing, numbers and numeric text in number columns, booleans in boolean
   * columns, text and numbers (as their text) in both kinds of category, and whatever JSON has in a category that was learned from it.
   * Categories that are not UTF-8 are refused, as they would silently be none that the model knows.
   * @throws IngotError InvalidRow for a value that the column doesn't take; `where` is only called then
   */
  put(rows: RawRows, row: number, place: number, value: unknown, where: () => string): void {
    const into = rows.columns[place]!;
    if (!Array.isArray(into)) into[row] = typeof value === 'number' ? value : this.number(place, value, where);
    else into[row] = typeof value === 'string' && !value.includes(replacement) ? value : this.text(place, value, where);
  }

  private number(place: number, value: unknown, where: () => string): number {
    if (value === null) return Number.NaN;
    if (typeof value === 'string') {
      const text = value.trim();
      if (this.missing[place]!.has(text.toLowerCase()) || infinity.test(text)) return Number.NaN;
      const number = this.readers[place]!(text);
      if (!Number.isNaN(number)) return number;
    }
    const { written } = this.columns[place]!;
    const example = written && ` as it is written in the training file, like ${exampleOf(written)}`;
    throw this.illTyped(place, value, where, `a number${example ?? ''}, or null where it is missing`);
  }

  private text(place: number, value: unknown, where: () => string): string {
    if (value === null) return '';
    if (typeof value === 'number') return String(value);
    const { name, type, json, replaced } = this.columns[place]!;
    if (typeof value === 'string') {
      if (type === 'text' || replaced) return value;
      throw new IngotError('InvalidRow', `The column '${name}' got text that is not UTF-8.`, { where: where(), fix: sendUtf8 });
    }
    const boolean = type === 'boolean';
    if (typeof value === 'boolean' && (boolean || json)) return String(value);
    if (json) return JSON.stringify(value);
    throw this.illTyped(place, value, where, `${boolean ? 'true or false' : 'text'}, or null where it is missing`);
  }

  private illTyped(place: number, value: unknown, where: () => string, expected: string): IngotError {
    const got =
      typeof value === 'string' ? 'text' : Array.isArray(value) ? 'a list' : typeof value === 'object' ? 'an object' : typeof value;
    return new IngotError('InvalidRow', `The column '${this.columns[place]!.name}' takes ${expected}, but got ${got}.`, {
      where: where(),
      fix: `Send ${expected}.`,
    });
  }

  unknownField(name: string, where: string): IngotError {
    return new IngotError('InvalidRow', `The model has no column '${name}'.`, {
      where,
      fix: name.includes(replacement) ? sendUtf8 : `Leave it out. ${this.listColumns()}`,
    });
  }

  missingField(place: number, where: string): IngotError {
    return new IngotError('InvalidRow', `The row lacks the column '${this.columns[place]!.name}'.`, {
      where,
      fix: `Send every column, null where its value is missing. ${this.listColumns()}`,
    });
  }

  /** @param got how many values the row has */
  wrongLength(got: number, where: string): IngotError {
    return new IngotError('InvalidRow', `The row has ${got} values where the model has ${this.columns.length} columns.`, {
      where,
      fix: this.listColumns(),
    });
  }

  private listColumns(): string {
    const shown = this.columns.slice(0, 50).map(({ name, type }) => `${name} (${type})`);
    const more = this.columns.length - shown.length;
    return `The columns are ${shown.join(', ')}${more > 0 ? ` and ${more} more` : ''}.`;
  }
}

/**
 * Puts an object's fields.
 * @param where the place of the row, or of one of its fields; only called to word an error
 * @throws IngotError InvalidRow for a missing, unknown or ill-typed field
 */
export function putRecord(schema: RowSchema, into: RawRows, row: number, record: unknown, where: (field?: string) => string): void {
  if (typeof record !== 'object' || record === null || Array.isArray(record)) {
    throw new IngotError('InvalidRow', 'A row is an object of column names and values.', {
      where: where(),
      fix: 'Send {"column": value, …}.',
    });
  }
  const fields = record as Record<string, unknown>;
  const { columns, places } = schema;
  for (let place = 0; place < columns.length; place++) {
    const { name } = columns[place]!;
    const value = fields[name];
    // What is inherited (`constructor`, `__proto__`) is an object or a function: only then is the slow question worth asking.
    if (value === undefined || typeof value === 'function' || (typeof value === 'object' && value !== null)) {
      if (!Object.hasOwn(fields, name)) throw schema.missingField(place, where());
    }
    schema.put(into, row, place, value, () => where(name));
  }
  const names = Object.keys(fields);
  if (names.length === columns.length) return;
  for (const name of names) if (!places.has(name)) throw schema.unknownField(name, where(name));
}

/** Puts a list of values in column order. @throws IngotError InvalidRow for a list of another length and for ill-typed values */
export function putList(schema: RowSchema, into: RawRows, row: number, values: unknown, where: () => string): void {
  if (!Array.isArray(values)) {
    throw new IngotError('InvalidRow', 'A row is a list of values in the order of the columns.', {
      where: where(),
      fix: 'Send [value, …].',
    });
  }
  if (values.length !== schema.columns.length) throw schema.wrongLength(values.length, where());
  for (let place = 0; place < values.length; place++) schema.put(into, row, place, values[place], () => `${where()}[${place}]`);
}

/** @throws IngotError InvalidRequest with line and column */
export function parseJsonBody(text: string): unknown {
  return parseJson(
    text,
    ({ place, what, cause }) =>
      new IngotError('InvalidRequest', `The body is not valid JSON: ${what}.`, {
        where: `body, ${place}`,
        fix: 'Send the body as JSON, or say its Content-Type.',
        cause,
      }),
  );
}

/** The field of a JSON body that has to be a list. @throws IngotError InvalidRequest */
export function listField(body: unknown, field: string): unknown[] {
  const list =
    typeof body === 'object' && body !== null && Object.hasOwn(body, field) ? (body as Record<string, unknown>)[field] : undefined;
  if (Array.isArray(list)) return list;
  throw new IngotError('InvalidRequest', `The body has no list '${field}'.`, { where: field, fix: `Send {"${field}": […]}.` });
}

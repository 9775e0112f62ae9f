/** Rows as CSV (text/csv): RFC 4180 quoting, and the delimiters that cleaning finds by itself. */
import { IngotError } from '../../errors.ts';
import { uniqueNames } from '../../table/unique-names.ts';
import type { RawRows, RowSchema } from '../rows.ts';

export interface CsvOptions {
  /** Whether the first line names the columns; 'auto': it does where it has nothing but names of columns. */
  header?: boolean | 'auto';
}

/** Delimiters of files with and without a header, */
const usualDelimiters = [',', ';', '\t'];
/** and those that only a header's names tell from what may stand in a value. */
const rareDelimiters = ['|', ':', ' '];

/**
 * With a header the columns may be in any order, and ones that the model passes over may be among them; names that are left out or
 * repeated are read as those of the training file were. Without a header each line has the columns in order. Blank lines are passed over.
 * @throws IngotError InvalidRequest, InvalidRow (`where` as "line 4, column age")
 */
export function parseCsv(text: string, schema: RowSchema, { header = true }: CsvOptions = {}): RawRows {
  const body = text.startsWith('\uFEFF') ? text.slice(1) : text;
  const records = [...readRecords(body, delimiterOf(body, schema))];
  const first = records[0]?.cells;
  const known = first && header !== false ? knownPlaces(first, schema) : [];
  const named =
    first !== undefined &&
    (header === 'auto' ? first.some((name) => name.trim() !== '') && known.every((place) => place !== undefined) : header);
  const places = named ? placesOf(first, known, schema) : schema.columns.map((_, place) => place);
  const data = named ? records.slice(1) : records;
  const rows = schema.allocate(data.length);
  data.forEach(({ cells, line }, row) => {
    if (cells.length !== places.length) {
      if (!named) throw schema.wrongLength(cells.length, `line ${line}`);
      throw new IngotError('InvalidRow', `The line has ${cells.length} values where the header has ${places.length} names.`, {
        where: `line ${line}`,
        fix: 'Give each line as many values as the header has names, in quotes where a value holds the delimiter.',
      });
    }
    for (let i = 0; i < places.length; i++) {
      const place = places[i]!;
      if (place >= 0) schema.put(rows, row, place, cells[i]!, () => `line ${line}, column ${schema.columns[place]!.name}`);
    }
  });
  return rows;
}

/** The place of each name of a header, undefined of what the model does not know. */
function knownPlaces(header: readonly string[], { places }: RowSchema): (number | undefined)[] {
  const { names } = uniqueNames(header);
  return header.map((cell, i) => places.get(names[i]!) ?? places.get(cell.trim()));
}

/** The place of each named column. @throws IngotError InvalidRow for an unknown, repeated or missing name */
function placesOf(header: readonly string[], known: readonly (number | undefined)[], schema: RowSchema): number[] {
  const seen = new Set<number>();
  const places = header.map((cell, i) => {
    const place = known[i];
    if (place === undefined) throw schema.unknownField(cell, `line 1, column ${cell}`);
    if (place >= 0 && seen.has(place)) {
      throw new IngotError('InvalidRow', `The header names '${cell}' twice.`, {
        where: `line 1, column ${cell}`,
        fix: 'Name each column once.',
      });
    }
    seen.add(place);
    return place;
  });
  schema.columns.forEach((_, place) => {
    if (!seen.has(place)) throw schema.missingField(place, 'line 1');
  });
  return places;
}

/** The one that cuts the first line into most known names, or else, of the usual ones, into most cells. */
function delimiterOf(text: string, schema: RowSchema): string {
  let best = ',';
  let most = -1;
  for (const delimiter of [...usualDelimiters, ...rareDelimiters]) {
    const cells = firstRecord(text, delimiter);
    const known = cells.filter((cell) => schema.places.has(cell.trim())).length;
    if (known === 0 && rareDelimiters.includes(delimiter)) continue;
    const score = known * 1e6 + cells.length;
    if (score > most) {
      best = delimiter;
      most = score;
    }
  }
  return best;
}

/** The first record's cells; none where it can't be read with this delimiter. */
function firstRecord(text: string, delimiter: string): string[] {
  try {
    return readRecords(text, delimiter).next().value?.cells ?? [];
  } catch {
    return [];
  }
}

interface CsvRecord {
  cells: string[];
  /** Where the record starts, from 1. */
  line: number;
}

function* readRecords(text: string, delimiter: string): Generator<CsvRecord, undefined> {
  let at = 0;
  let line = 1;
  while (at < text.length) {
    const start = line;
    const cells: string[] = [];
    for (;;) {
      if (text[at] === '"') {
        let cell = '';
        for (;;) {
          const end = text.indexOf('"', at + 1);
          if (end < 0) {
            throw new IngotError('InvalidRequest', 'A quote is opened and never closed.', {
              where: `line ${line}, value ${cells.length + 1}`,
              fix: 'Close the quote, and write a quote inside of quotes as two.',
            });
          }
          cell += text.slice(at + 1, end);
          at = end + 1;
          if (text[at] !== '"') break;
          cell += '"';
        }
        for (const character of cell) if (character === '\n') line++;
        if (at < text.length && text[at] !== delimiter && text[at] !== '\n' && text[at] !== '\r') {
          throw new IngotError('InvalidRequest', 'Something follows a closing quote.', {
            where: `line ${line}, value ${cells.length + 1}`,
            fix: 'Put the whole value in quotes, and write a quote inside of quotes as two.',
          });
        }
        cells.push(cell);
      } else {
        let end = at;
        while (end < text.length && text[end] !== delimiter && text[end] !== '\n' && text[end] !== '\r') end++;
        cells.push(text.slice(at, end));
        at = end;
      }
      if (text[at] !== delimiter) break;
      at++;
    }
    if (text[at] === '\r') at++;
    if (text[at] === '\n') at++;
    line++;
    if (cells.length > 1 || cells[0] !== '') yield { cells, line: start };
  }
}

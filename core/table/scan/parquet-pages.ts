/**
 * Parquet as far as staged tables need it: optional columns of doubles, plain or by a dictionary, and of texts by a dictionary, uncompressed, a page a row group.
 * The format: parquet.thrift of apache/parquet-format, in Thrift's compact protocol.
 */

/** Numbers of the format. */
const type = { double: 5, text: 6 } as const;
const page = { data: 0, dictionary: 2 } as const;
const encoding = { plain: 0, rle: 3, dictionary: 8 } as const;
const wire = { i32: 5, i64: 6, binary: 8, list: 9, struct: 12 } as const;

type Value =
  | { i32: number }
  | { i64: number }
  | { text: string }
  | { structs: Fields[] }
  | { i32s: number[] }
  | { texts: string[] }
  | { struct: Fields };
/** By field number. */
type Fields = Record<number, Value>;

/** Where a column's pages are in the file. */
export interface PlacedColumn {
  values: number;
  dictionaryAt?: number;
  dataAt: number;
  bytes: number;
}

export interface RowGroup {
  rows: number;
  columns: PlacedColumn[];
}

export const magic = Buffer.from('PAR1');

/** A page of `count` values in the order of their codes, doubles or texts as `textsOf` has them. */
export function dictionaryPage(count: number, values: Buffer): Buffer[] {
  const header = { 1: { i32: page.dictionary }, 7: { struct: { 1: { i32: count }, 2: { i32: encoding.plain } } } };
  return [pageHeader(header, values.length), values];
}

/** Each behind its length. */
export function textsOf(texts: readonly Buffer[]): Buffer {
  const body = Buffer.allocUnsafe(texts.reduce((sum, { length }) => sum + 4 + length, 0));
  let at = 0;
  for (const text of texts) {
    at = body.writeUInt32LE(text.length, at);
    at += text.copy(body, at);
  }
  return body;
}

/** A page of data: `values` are doubles, or codes of `codeBytes` each up to a multiple of 8; `bits` are set for the rows that have a value. */
export function dataPage(rows: number, bits: Buffer, count: number, values: Buffer, codeBytes?: number): Buffer[] {
  const levels = count === rows ? Buffer.from([...varint(rows * 2), 1]) : Buffer.concat([Buffer.from(varint(bits.length * 2 + 1)), bits]);
  const lengthOfLevels = Buffer.alloc(4);
  lengthOfLevels.writeUInt32LE(levels.length);
  const head = codeBytes === undefined ? [] : [Buffer.from([8 * codeBytes, ...(count === 0 ? [] : varint(Math.ceil(count / 8) * 2 + 1))])];
  const body = [lengthOfLevels, levels, ...head, values];
  const header = {
    1: { i32: page.data },
    5: {
      struct: {
        1: { i32: rows },
        2: { i32: codeBytes === undefined ? encoding.plain : encoding.dictionary },
        3: { i32: encoding.rle },
        4: { i32: encoding.rle },
      },
    },
  };
  return [pageHeader(header, bytesOf(body)), ...body];
}

export const bytesOf = (parts: readonly Buffer[]) => parts.reduce((sum, { length }) => sum + length, 0);

const pageHeader = (fields: Fields, bytes: number) => Buffer.from(structOf({ ...fields, 2: { i32: bytes }, 3: { i32: bytes } }));

/** What ends the file: the columns, and where each row group has its pages. */
export function footer(names: readonly string[], isNumber: readonly boolean[], groups: readonly RowGroup[]): Buffer {
  const columnType = (column: number) => ({ i32: isNumber[column] ? type.double : type.text });
  const meta = structOf({
    1: { i32: 1 },
    2: {
      structs: [
        { 4: { text: 'table' }, 5: { i32: names.length } },
        ...names.map((name, column) => ({
          1: columnType(column),
          3: { i32: 1 },
          4: { text: name },
          ...(!isNumber[column] && { 6: { i32: 0 } }),
        })),
      ],
    },
    3: { i64: groups.reduce((sum, { rows }) => sum + rows, 0) },
    4: {
      structs: groups.map(({ rows, columns }) => ({
        1: {
          structs: columns.map(({ values, dictionaryAt, dataAt, bytes }, column) => ({
            2: { i64: dictionaryAt ?? dataAt },
            3: {
              struct: {
                1: columnType(column),
                2: { i32s: [encoding.plain, encoding.rle, encoding.dictionary] },
                3: { texts: [names[column]!] },
                4: { i32: 0 },
                5: { i64: values },
                6: { i64: bytes },
                7: { i64: bytes },
                9: { i64: dataAt },
                ...(dictionaryAt !== undefined && { 11: { i64: dictionaryAt } }),
              },
            },
          })),
        },
        2: { i64: columns.reduce((sum, { bytes }) => sum + bytes, 0) },
        3: { i64: rows },
      })),
    },
  });
  const length = Buffer.alloc(4);
  length.writeUInt32LE(meta.length);
  return Buffer.concat([Buffer.from(meta), length, magic]);
}

function structOf(fields: Fields): number[] {
  const bytes: number[] = [];
  let last = 0;
  for (const [key, value] of Object.entries(fields)) {
    const field = Number(key);
    const kind =
      'i32' in value ? wire.i32 : 'i64' in value ? wire.i64 : 'text' in value ? wire.binary : 'struct' in value ? wire.struct : wire.list;
    bytes.push(((field - last) << 4) | kind);
    last = field;
    if ('i32' in value) push(bytes, varint(value.i32 * 2));
    else if ('i64' in value) push(bytes, varint(value.i64 * 2));
    else if ('text' in value) push(bytes, binary(value.text));
    else if ('struct' in value) push(bytes, structOf(value.struct));
    else if ('structs' in value) push(bytes, listOf(wire.struct, value.structs.map(structOf)));
    else if ('i32s' in value)
      push(
        bytes,
        listOf(
          wire.i32,
          value.i32s.map((one) => varint(one * 2)),
        ),
      );
    else push(bytes, listOf(wire.binary, value.texts.map(binary)));
  }
  bytes.push(0);
  return bytes;
}

const listOf = (kind: number, items: number[][]) => [
  ...(items.length < 15 ? [(items.length << 4) | kind] : [0xf0 | kind, ...varint(items.length)]),
  ...items.flat(),
];

const binary = (text: string) => [...varint(Buffer.byteLength(text)), ...Buffer.from(text)];

/** Appends; a spread of many would be too many arguments. */
function push(bytes: number[], more: readonly number[]): void {
  for (const byte of more) bytes.push(byte);
}

/** Seven bits a byte, the lowest first; of numbers not below 0. */
function varint(value: number): number[] {
  const bytes: number[] = [];
  for (; value >= 128; value = Math.floor(value / 128)) bytes.push((value % 128) | 128);
  return [...bytes, value];
}

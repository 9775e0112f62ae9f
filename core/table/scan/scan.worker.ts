/** A thread that scans chunks of a file, one after another, and writes each as a row group of the stage. */

import { isUtf8 } from 'node:buffer';
import { createHash } from 'node:crypto';
import { closeSync, openSync, readSync, writevSync } from 'node:fs';
import { parentPort } from 'node:worker_threads';
import { booleanOf, spellingKey } from '../spellings.ts';
import { bytesOf, dataPage, dictionaryPage, type PlacedColumn, textsOf } from './parquet-pages.ts';
import type { ScanJob, ScanMessage } from './scan.ts';
import { ScanMemory } from './scan-memory.ts';

/** Thrown where the file is not plain. */
const notPlain = new Error('not plain');
/** Bytes behind a chunk that belong to its last row. */
const longestRow = 1 << 20;

parentPort!.on('message', (job: ScanJob) => {
  const { shared, isNumber } = job;
  try {
    const found = scanChunks(job);
    parentPort!.postMessage({ done: found } satisfies ScanMessage);
  } catch (error) {
    if (error !== notPlain) throw error;
    Atomics.store(shared.claims, 1, 1);
    parentPort!.postMessage({ done: isNumber.map(() => ({ empty: 0, others: new Map<string, number>() })) } satisfies ScanMessage);
  }
});

function scanChunks({ path, stage, start, bytes, chunkBytes, delimiter, quote, isNumber, mostValues, missing, shared }: ScanJob) {
  const tokens = new Set(missing);
  const strays = isNumber.map(() => new Map<string, number>());
  const values = isNumber.map((): Buffer[] => []);
  const memory = new ScanMemory(isNumber, chunkBytes + longestRow, Math.ceil(chunkBytes / isNumber.length) + 1, mostValues, {
    meet(column, value) {
      if (!isUtf8(value)) throw notPlain;
      values[column]!.push(Buffer.from(value));
      return standIn(value.toString(), tokens);
    },
    read(column, cell) {
      const text = cell.toString('latin1');
      // Decimal digits, but more or with a larger exponent than the kernel takes.
      if (/^-?\d+(\.\d+)?(e[+-]?\d+)?$/i.test(text)) {
        if (!Number.isFinite(Number(text))) throw notPlain;
        return Number(text);
      }
      // What else has a digit may be a number that is written in another way.
      if ((/\d/.test(text) && !/^[a-z]/i.test(text)) || !isUtf8(cell)) throw notPlain;
      const seen = strays[column]!;
      const stray = cell.toString();
      seen.set(stray, (seen.get(stray) ?? 0) + 1);
      if (seen.size > mostValues) throw notPlain;
      return NaN;
    },
  });
  const from = openSync(path, 'r');
  const to = openSync(stage, 'r+');
  try {
    for (let chunk = Atomics.add(shared.claims, 0, 1); start + chunk * chunkBytes < bytes; chunk = Atomics.add(shared.claims, 0, 1)) {
      if (Atomics.load(shared.claims, 1) > 0) break;
      const { rows, hashes } = scanChunk(chunk);
      if (rows > 0) {
        const columns = isNumber.map((_, index) => write(index, rows));
        parentPort!.postMessage({ chunk, rows, columns, hashes } satisfies ScanMessage, [hashes.buffer as ArrayBuffer]);
      }
    }
  } finally {
    closeSync(from);
    closeSync(to);
  }
  return isNumber.map((number, index) => ({
    empty: memory.emptyOf(index),
    others: number
      ? strays[index]!
      : new Map(memory.metOf(index, values[index]!.length).map((count, code) => [values[index]![code]!.toString(), count])),
  }));

  /** The rows that begin in a chunk: in front of the second and later ones stands one byte, which tells whether a row begins with the chunk. */
  function scanChunk(chunk: number) {
    const begin = start + chunk * chunkBytes - (chunk > 0 ? 1 : 0);
    const end = Math.min(bytes, start + (chunk + 1) * chunkBytes);
    const wanted = Math.min(bytes, end + longestRow) - begin;
    const text = memory.textOf(wanted + 1);
    // A chunk with its last row: the rest is read only where that is longer than 4 KiB.
    let length = read(text, 0, Math.min(wanted, end - begin + 4096), begin);
    if (text.lastIndexOf(10, length - 1) < end - begin - 1 && length < wanted)
      length += read(text, length, wanted - length, begin + length);
    if (begin + length === bytes && text[length - 1] !== 10) text[length++] = 10;
    const first = chunk > 0 ? text.indexOf(10) + 1 : 0;
    if (chunk > 0 && first === 0) throw notPlain;
    const scanned = memory.scan(first, end - begin, length, delimiter, quote);
    if (scanned === undefined) throw notPlain;
    return { rows: scanned.rows, hashes: memory.hashesOf(scanned.rows) };
  }

  function read(text: Buffer, at: number, length: number, position: number): number {
    let read = 0;
    while (read < length) {
      const more = readSync(from, text, at + read, length - read, position + read);
      if (more === 0) throw notPlain;
      read += more;
    }
    return read;
  }

  function write(index: number, rows: number): PlacedColumn {
    const count = memory.countOf(index);
    const { dictionary, cells, codeBytes } = cellsOf(index, rows);
    const data = dataPage(rows, memory.bitsOf(index, rows), count, cells, codeBytes);
    const length = bytesOf(dictionary) + bytesOf(data);
    const at = Number(Atomics.add(shared.end, 0, BigInt(length)));
    if (writevSync(to, [...dictionary, ...data], at) < length) throw new Error(`the disk has no room for ${stage}`);
    return {
      values: rows,
      ...(dictionary.length > 0 && { dictionaryAt: at }),
      dataAt: at + bytesOf(dictionary),
      bytes: length,
    };
  }

  function cellsOf(index: number, rows: number): { dictionary: Buffer[]; cells: Buffer; codeBytes?: number } {
    const known = values[index]!;
    if (!isNumber[index]) {
      const codeBytes = known.length <= 256 ? 1 : 2;
      return { dictionary: dictionaryPage(known.length, textsOf(known)), cells: memory.codesOf(index, rows, codeBytes), codeBytes };
    }
    const few = memory.fewNumbersOf(index);
    if (few === undefined) return { dictionary: [], cells: memory.numbersOf(index) };
    return { dictionary: dictionaryPage(few.different, few.numbers), cells: few.codes, codeBytes: 1 };
  }
}

/** Equal for what may be one value in a clean table: spellings of a category, tokens for true and false, tokens for missing. */
function standIn(value: string, missing: ReadonlySet<string>): bigint {
  if (missing.has(value.trim().toLowerCase())) return missingBits;
  const truth = booleanOf(value, false);
  const key = truth === undefined ? `=${spellingKey(value)}` : String(truth);
  return createHash('sha1').update(key).digest().readBigUInt64LE();
}

/** As the kernel has it. */
const missingBits = 0x7ff8_0000_0000_0000n;

/**
 * Reads plain delimited text: numbers to doubles, other cells to codes of their different values, and each row to a hash. JavaScript (scan.worker.ts)
 * lays out the memory, is asked about what is new, and takes the columns from there.
 */
import { parse } from './number';

export { setPowers } from './number';

/** A new value of a column of values. @returns what stands for it in the hashes of rows: the same for all that are one value in a clean table */
@external('env', 'meet')
declare function meet(column: i32, at: usize, length: i32): u64;

/** A cell of a column of numbers that is not written as `parse` has it. @returns its number, or NaN where it is none */
@external('env', 'read')
declare function read(column: i32, at: usize, length: i32): f64;

/** A column, 40 bytes, zero at first but for `isNumber`, `out` and `bits`; scan-memory.ts has the same fields. */
const isNumberField = 0;
/** Doubles of the cells that are there, or codes of all. */
const outField = 4;
/** A bit for each row, of which those of missing cells are cleared. */
const bitsField = 8;
/** Cells that are there, of the last scan. */
const countField = 12;
/** Empty cells, of all scans. */
const emptyField = 16;
const entriesField = 20;
const entryCountField = 24;
const slotsField = 28;
const slotMaskField = 32;
const columnBytes = 40;

/** A value that was met, 32 bytes: where it is, its length, what stands for it, its hash, its cells. */
const entryBytes = 32;
const firstSlots = 256;

/** What is reserved by `reserve`, never to be given back. */
let top: usize = 0;

export function setTop(at: usize): void {
  top = at;
}

export function reserve(bytes: usize): usize {
  const at = top;
  top = (top + bytes + 63) & ~63;
  const pages = <i32>((top + 65535) >>> 16) - memory.size();
  if (pages > 0 && memory.grow(pages) < 0) unreachable();
  return at;
}

// @ts-ignore: decorator
@inline
function mixed(hash: u64, value: u64): u64 {
  const product = (hash ^ value) * 0x9e37_79b9_7f4a_7c15;
  return product ^ (product >> 32);
}

/** What stands for a missing cell in hashes of rows; 0 is no value's bits but 0's, so it is none of those. */
const MISSING: u64 = 0x7ff8_0000_0000_0000;

/** Where the text ends that the last scan did not read any more, or why it gave up. */
export let stopped: usize = 0;

/**
 * Scans the rows that begin in [at, end). Behind the text stand 32 bytes of zeros, which belong to no cell.
 * @param hashes takes a hash of 64 bits for each row
 * @returns rows, or -1 where something is not plain: a quote, a control character, too few or too many cells
 */
export function scan(at: usize, end: usize, columns: usize, width: i32, delimiter: i32, quote: i32, hashes: usize, mostValues: u32): i32 {
  const delimiters = i8x16.splat(<i8>delimiter);
  const quotes = i8x16.splat(<i8>quote);
  const spaces = i8x16.splat(32);
  let row: i32 = 0;
  while (at < end) {
    let hash: u64 = 0;
    let column = columns;
    for (let c = 0; c < width; c++) {
      let length: i32 = 0;
      let mask: i32;
      for (;;) {
        const text = v128.load(at + length);
        mask = i8x16.bitmask(v128.or(v128.or(i8x16.eq(text, delimiters), i8x16.eq(text, quotes)), i8x16.lt_u(text, spaces)));
        if (mask != 0) break;
        length += 16;
      }
      length += ctz(mask);
      const stop = <i32>load<u8>(at + length);
      let next = at + length + 1;
      if (c < width - 1) {
        if (stop != delimiter) return -1;
      } else if (stop != 10) {
        if (stop != 13 || load<u8>(next) != 10) return -1;
        next++;
      }
      let bits: u64 = MISSING;
      let isThere = false;
      if (load<i32>(column, isNumberField)) {
        if (length > 0) {
          let value = parse(at, length);
          if (isNaN(value)) value = read(c, at, length);
          if (!isNaN(value)) {
            const count = load<u32>(column, countField);
            store<f64>(load<usize>(column, outField) + (<usize>count << 3), value);
            store<u32>(column, count + 1, countField);
            bits = reinterpret<u64>(value + 0.0);
            isThere = true;
          }
        } else store<u32>(column, load<u32>(column, emptyField) + 1, emptyField);
      } else if (length > 0) {
        const entry = find(c, column, at, length);
        const code = <u32>((entry - load<usize>(column, entriesField)) >>> 5);
        if (code >= mostValues) return -1;
        store<u32>(entry, load<u32>(entry, 24) + 1, 24);
        store<u32>(load<usize>(column, outField) + (<usize>row << 2), code);
        store<u32>(column, load<u32>(column, countField) + 1, countField);
        bits = load<u64>(entry, 8);
        isThere = true;
      } else store<u32>(column, load<u32>(column, emptyField) + 1, emptyField);
      if (!isThere) {
        const byte = load<usize>(column, bitsField) + (row >>> 3);
        store<u8>(byte, load<u8>(byte) & ~(<u8>1 << <u8>(row & 7)));
      }
      hash = mixed(hash, bits);
      at = next;
      column += columnBytes;
    }
    store<u64>(hashes + (<usize>row << 3), hash);
    row++;
  }
  stopped = at;
  return row;
}

/** The entry of a value, which is made where it is new. */
function find(c: i32, column: usize, at: usize, length: i32): usize {
  let low: u64 = 0;
  let high: u64 = 0;
  let hash: u64 = <u64>length;
  if (length <= 16) {
    if (length <= 8) low = load<u64>(at) & (<u64>-1 >> (64 - (<u64>length << 3)));
    else {
      low = load<u64>(at);
      high = load<u64>(at, 8) & (<u64>-1 >> (128 - (<u64>length << 3)));
    }
    hash = mixed(mixed(hash, low), high);
  } else {
    let i: i32 = 0;
    for (; i + 8 <= length; i += 8) hash = mixed(hash, load<u64>(at + i));
    hash = mixed(hash, load<u64>(at + length - 8));
  }
  const mask = load<u32>(column, slotMaskField);
  const slots = load<usize>(column, slotsField);
  const entries = load<usize>(column, entriesField);
  let slot = (<u32>(hash >> 32) ^ <u32>hash) & mask;
  for (;;) {
    const found = load<u32>(slots + (<usize>slot << 2));
    if (found == 0) break;
    const entry = entries + (<usize>(found - 1) << 5);
    if (load<u64>(entry, 16) == hash && load<i32>(entry, 4) == length) {
      const text = load<usize>(entry);
      // What is reserved is zero behind the text.
      if (length <= 16 ? load<u64>(text) == low && load<u64>(text, 8) == high : memory.compare(text, at, length) == 0) return entry;
    }
    slot = (slot + 1) & mask;
  }
  const code = load<u32>(column, entryCountField);
  const entry = entries + (<usize>code << 5);
  const text = reserve(max(length, 16));
  memory.copy(text, at, length);
  store<usize>(entry, text);
  store<i32>(entry, length, 4);
  store<u64>(entry, meet(c, at, length), 8);
  store<u64>(entry, hash, 16);
  store<u32>(column, code + 1, entryCountField);
  store<u32>(slots + (<usize>slot << 2), code + 1);
  if ((code + 1) << 1 > mask) enlarge(column, code + 1, mask);
  return entry;
}

function enlarge(column: usize, count: u32, mask: u32): void {
  const wider = ((mask + 1) << 2) - 1;
  const slots = reserve(<usize>(wider + 1) << 2);
  const entries = load<usize>(column, entriesField);
  for (let i: u32 = 0; i < count; i++) {
    const hash = load<u64>(entries + (<usize>i << 5), 16);
    let slot = (<u32>(hash >> 32) ^ <u32>hash) & wider;
    while (load<u32>(slots + (<usize>slot << 2)) != 0) slot = (slot + 1) & wider;
    store<u32>(slots + (<usize>slot << 2), i + 1);
  }
  store<usize>(column, slots, slotsField);
  store<u32>(column, wider, slotMaskField);
}

/** Makes a column ready; a column of values may meet `mostValues` and one more. */
export function openColumn(column: usize, isNumber: i32, out: usize, bits: usize, mostValues: u32): void {
  store<i32>(column, isNumber, isNumberField);
  store<usize>(column, out, outField);
  store<usize>(column, bits, bitsField);
  if (isNumber) return;
  store<usize>(column, reserve(<usize>(mostValues + 1) * entryBytes), entriesField);
  store<usize>(column, reserve(firstSlots << 2), slotsField);
  store<u32>(column, firstSlots - 1, slotMaskField);
}

/** Codes of the cells that are there, in 1 or 2 bytes each, in place of codes of all rows, and zeros up to a multiple of 8. @returns how many */
export function pack(column: usize, rows: i32, bytes: i32): i32 {
  const out = load<usize>(column, outField);
  const bits = load<usize>(column, bitsField);
  const isWhole = load<i32>(column, countField) == rows;
  let to = out;
  for (let row: i32 = 0; row < rows; row++) {
    if (!isWhole && !((load<u8>(bits + (row >>> 3)) >>> (row & 7)) & 1)) continue;
    const code = load<u32>(out + (<usize>row << 2));
    if (bytes == 1) store<u8>(to, code);
    else store<u16>(to, code);
    to += bytes;
  }
  memory.fill(to, 0, 8 * bytes);
  return <i32>(to - out);
}

const dictionarySlots = 1024;

/**
 * Codes of one byte for numbers that are there, where at most 256 are different.
 * @param slots takes 2,048 bytes; @param numbers takes the different ones; @param codes takes a code each, and zeros up to a multiple of 8
 * @returns how many are different, or -1
 */
export function shrink(column: usize, slots: usize, numbers: usize, codes: usize): i32 {
  const count = load<u32>(column, countField);
  const out = load<usize>(column, outField);
  memory.fill(slots, 0, dictionarySlots << 1);
  let met: u32 = 0;
  for (let i: u32 = 0; i < count; i++) {
    const bits = load<u64>(out + (<usize>i << 3));
    let slot = <u32>(mixed(0, bits) >> 20) & (dictionarySlots - 1);
    let found: u32;
    for (;;) {
      found = load<u16>(slots + (<usize>slot << 1));
      if (found == 0) {
        if (met == 256) return -1;
        store<u64>(numbers + (<usize>met << 3), bits);
        found = ++met;
        store<u16>(slots + (<usize>slot << 1), <u16>found);
        break;
      }
      if (load<u64>(numbers + (<usize>(found - 1) << 3)) == bits) break;
      slot = (slot + 1) & (dictionarySlots - 1);
    }
    store<u8>(codes + i, <u8>(found - 1));
  }
  memory.fill(codes + count, 0, 8);
  return <i32>met;
}

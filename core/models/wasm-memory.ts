/**
 * Memory for the kernels in WebAssembly. V8 gives it back when it comes across it, but does not know how large it is: a search whose fits take 100 MB each
 * would hold those of five at a time. So whoever grows one says so here, and what nobody refers to any more is collected in between.
 */
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';

export const pageBytes = 65_536;
/** 4 GiB. */
export const maxPages = 65_536;
/** Bytes that memories and large arrays of this thread may grow by until garbage is collected: that takes some 10 ms. */
const muchBytes = 64 * 2 ** 20;
/** A thread that has had nothing to do for as long lets go of what it had. */
const idleMilliseconds = 20;

let grown = 0;
let collect: (() => void) | undefined;
let idle: NodeJS.Timeout | undefined;

/** Mostly shared, though not all have threads that share it, for views of it stay when it grows; what is not is copied to and from twice as fast. */
export function newMemory(shared = true): WebAssembly.Memory {
  return new WebAssembly.Memory({ initial: 1, maximum: maxPages, shared });
}

/**
 * Makes a memory at least as large.
 * @param atOnce pages that it grows by where there is room, as that takes a call of the system
 * @throws RangeError where that is more than a memory may have
 */
export function reserve(memory: WebAssembly.Memory, bytes: number, atOnce = 1): void {
  const missing = Math.ceil((bytes - memory.buffer.byteLength) / pageBytes);
  if (missing <= 0) return;
  const pages = Math.max(missing, Math.min(atOnce, maxPages - memory.buffer.byteLength / pageBytes));
  soonGarbage(pages * pageBytes);
  memory.grow(pages);
}

/** Of large arrays, too, that are taken one after the other: V8 would hold those of a whole table. */
export function soonGarbage(bytes: number): void {
  grown += bytes;
  if (grown >= muchBytes) collectMemory();
}

/** Gives back what nothing refers to any more. */
export function collectMemory(): void {
  grown = 0;
  if (!collect) {
    setFlagsFromString('--expose-gc');
    collect = runInNewContext('gc') as () => void;
  }
  collect();
}

/** For threads that help: they hold a memory until it is collected here, too. Called when a piece of work on one is done. */
export function collectWhenIdle({ buffer }: WebAssembly.Memory): void {
  grown = Math.max(grown, buffer.byteLength);
  clearTimeout(idle);
  if (grown >= muchBytes) idle = setTimeout(collectMemory, idleMilliseconds).unref();
}

import { setImmediate as turn } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { newMemory, pageBytes, reserve } from '../../core/models/wasm-memory.ts';

const megabytes = (memory: WebAssembly.Memory) => memory.buffer.byteLength / 2 ** 20;

test('of fits one after the other, the memory of the last alone is held', async () => {
  const fits: WeakRef<WebAssembly.Memory>[] = [];
  for (let fit = 0; fit < 4; fit++) {
    const memory = newMemory();
    reserve(memory, 100 * 2 ** 20);
    fits.push(new WeakRef(memory));
    // What a WeakRef was made of stays until the turn is over.
    await turn();
  }
  expect(fits.slice(0, -1).map((fit) => fit.deref())).toEqual([undefined, undefined, undefined]);
});

test('a memory grows by as much as is wanted, or by more at once, and never beyond 4 GiB', () => {
  const memory = newMemory();
  reserve(memory, 3 * 2 ** 20);
  expect(megabytes(memory)).toBe(3);
  reserve(memory, 2 * 2 ** 20);
  expect(megabytes(memory)).toBe(3);
  reserve(memory, 3 * 2 ** 20 + 1, 64);
  expect(memory.buffer.byteLength).toBe(3 * 2 ** 20 + 64 * pageBytes);
  expect(() => reserve(memory, 2 ** 32 + 1)).toThrow(RangeError);
});

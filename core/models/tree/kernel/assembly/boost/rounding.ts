/**
 * From exact gradients and hessians to the few bits that histograms add up (Shi et al. 2022). What a bit is worth follows the largest of the
 * rows, so that rows that are all nearly right are still told apart.
 */
import { CHUNK, chunks, run } from './run';

/** Leaves the largest gradient and hessian of a chunk of rows in its task, as uint32. */
export function findRange(task: u32): void {
  const first = <usize>run.exact + (<usize>(task * CHUNK) << 3);
  const end = <usize>run.exact + (<usize>min(run.rows, (task + 1) * CHUNK) << 3);
  let most = i32x4.splat(0);
  let at = first;
  for (; at + 8 < end; at += 16) most = i32x4.max_s(most, i32x4.abs(v128.load(at)));
  if (at < end) most = i32x4.max_s(most, i32x4.abs(v128.load64_zero(at)));
  most = i32x4.max_s(most, v128.shuffle<i32>(most, most, 2, 3, 0, 1));
  v128.store64_lane(<usize>run.tasks + (<usize>task << 3), most, 0);
}

/** Sets by how many bits gradients and hessians are shortened. */
export function setShifts(): void {
  let gradient: u32 = 0;
  let hessian: u32 = 0;
  for (let task: usize = 0; task < chunks(run.rows); task++) {
    gradient = max(gradient, load<u32>(run.tasks + (task << 3)));
    hessian = max(hessian, load<u32>(run.tasks + (task << 3), 4));
  }
  run.gradientShift = shiftOf(gradient);
  run.hessianShift = shiftOf(hessian);
}

/** The least by which numbers up to `largest` are at most 2^bits. */
function shiftOf(largest: u32): u32 {
  const bits: u32 = largest > 1 ? 32 - clz(largest - 1) : 0;
  return bits > run.bits ? bits - run.bits : 0;
}

// @ts-ignore: decorator
@inline
function hash4(values: v128): v128 {
  let h = v128.xor(i32x4.splat(run.seed), i32x4.mul(values, i32x4.splat(0x9e3779b1)));
  h = i32x4.mul(v128.xor(h, i32x4.shr_u(h, 16)), i32x4.splat(0x85ebca6b));
  h = i32x4.mul(v128.xor(h, i32x4.shr_u(h, 13)), i32x4.splat(0xc2b2ae35));
  return v128.xor(h, i32x4.shr_u(h, 16));
}

/** Rounds a chunk of rows, four at a time: behind the last there is room for three more, as memory is taken in pieces of 64 bytes. */
export function roundRows(task: u32): void {
  const gShift = run.gradientShift;
  const hShift = run.hessianShift;
  const stochastic = run.stochastic;
  let roundG = i32x4.splat((1 << gShift) >> 1);
  let roundH = i32x4.splat((1 << hShift) >> 1);
  const end = min(run.rows, (task + 1) * CHUNK);
  for (let row = task * CHUNK; row < end; row += 4) {
    const exact = <usize>run.exact + (<usize>row << 3);
    const packed = <usize>run.packed + (<usize>row << 3);
    const first = v128.load(exact);
    const second = v128.load(exact, 16);
    if (stochastic) {
      const drawn = hash4(i32x4.add(i32x4.splat(row), i32x4(0, 1, 2, 3)));
      roundG = v128.and(drawn, i32x4.splat((1 << gShift) - 1));
      roundH = v128.and(i32x4.shr_u(i32x4.mul(drawn, i32x4.splat(0x9e3779b1)), 32 - hShift), i32x4.splat((1 << hShift) - 1));
    }
    const g = i32x4.shr_s(i32x4.add(v128.shuffle<i32>(first, second, 0, 2, 4, 6), roundG), gShift);
    const h = i32x4.shr_u(i32x4.add(v128.shuffle<i32>(first, second, 1, 3, 5, 7), roundH), hShift);
    v128.store(packed, v128.shuffle<i32>(h, g, 0, 4, 1, 5));
    v128.store(packed, v128.shuffle<i32>(h, g, 2, 6, 3, 7), 16);
  }
}

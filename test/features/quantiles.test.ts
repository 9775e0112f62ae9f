import fc from 'fast-check';
import { expect, test } from 'vitest';
import { quantiles } from '../../core/features/quantiles.ts';
import { Random } from '../../core/random.ts';

/** The same by sorting. */
function sorted(values: Float32Array, share: number): number {
  const finite = values.filter(Number.isFinite).sort();
  const place = share * (finite.length - 1);
  const [below, above] = [finite[Math.floor(place)]!, finite[Math.ceil(place)]!];
  return below + (place - Math.floor(place)) * (above - below);
}

test('quantiles are linear between neighbours, of the finite values alone', () => {
  expect(quantiles(Float32Array.of(1, Number.NaN, 4, 2, Infinity, 3, -Infinity), [0, 0.25, 0.5, 1])).toEqual([1, 1.75, 2.5, 4]);
  expect(quantiles(Float32Array.of(Number.NaN), [0.5])).toEqual([0]);
});

test('counted on many rows they are those of sorting, whatever the values', () => {
  fc.assert(
    fc.property(fc.array(fc.float({ noDefaultInfinity: true, noNaN: true }), { minLength: 1, maxLength: 20 }), fc.nat(), (kinds, seed) => {
      const random = new Random(seed);
      const values = Float32Array.from({ length: 70_000 }, (_, i) => (i % 2 ? kinds[random.below(kinds.length)]! : random.uniform() - 0.5));
      const shares = [0, 0.25, 0.5, 0.75, 1];
      expect(quantiles(values, shares)).toEqual(shares.map((share) => sorted(values, share)));
    }),
    { numRuns: 10 },
  );
});

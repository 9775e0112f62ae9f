import { readFileSync } from 'node:fs';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { compileKernel } from '../../core/compile-kernels.ts';
import { look, products, singleProducts, standardise } from '../../core/models/linear/column-loops.ts';
import { makeDesign, rowsOfOnePass } from '../../core/models/linear/design.ts';
import { solveSquares } from '../../core/models/linear/squares.ts';
import type { Matrix, Target } from '../../core/models/model.ts';
import { Random } from '../../core/random.ts';

const value = fc.oneof(fc.float(), fc.constantFrom(0, -0, 1, NaN, Infinity, -Infinity, 3e38, 1e-45));

test('what is in a column is what its values say one by one', () => {
  fc.assert(
    fc.property(fc.float32Array({ minLength: 1, maxLength: 40 }), fc.array(value, { maxLength: 4 }), fc.nat(40), (some, odd, at) => {
      const column = Float32Array.from([...some.subarray(0, at), ...odd, ...some.subarray(at), ...some.subarray(0, 1)]);
      const { largest, allFinite, varies, mean } = look(column);
      const finite = [...column].filter(Number.isFinite).map(Math.abs);
      expect(largest).toBe(Math.max(0, ...finite));
      expect(allFinite).toBe(finite.length === column.length);
      expect(varies).toBe(column.some((own) => own !== column[0]));
      if (allFinite) expect(Math.abs(mean - column.reduce((a, b) => a + b, 0) / column.length)).toBeLessThanOrEqual(largest * 1e-14);
    }),
  );
});

test('a column of more values than are copied at a time', () => {
  const random = new Random(1);
  const column = Float32Array.from({ length: 2 ** 17 + 3 }, () => random.uniform() - 0.5);
  column[column.length - 1] = 9;
  const { largest, allFinite, varies, mean } = look(column);
  expect([largest, allFinite, varies]).toEqual([9, true, true]);
  expect(mean).toBeCloseTo(column.reduce((a, b) => a + b, 0) / column.length, 12);
  column[5] = NaN;
  expect(look(column).allFinite).toBe(false);
});

test('numbers of any size are standardised', () => {
  const draws = fc.array(fc.double({ min: -1, max: 1, noNaN: true }), { minLength: 2, maxLength: 50 });
  fc.assert(
    fc.property(draws, fc.constantFrom(1, 1e150, 1e-150), (shares, scale) => {
      const numbers = Float64Array.from([...shares, 1, -1], (share) => share * scale);
      const own = numbers.slice();
      const { centre, spread } = standardise(own);
      const squares = own.reduce((sum, each) => sum + each * each, 0) / own.length;
      expect(squares).toBeCloseTo(1, 12);
      expect(own.reduce((a, b) => a + b, 0) / own.length).toBeCloseTo(0, 12);
      own.forEach((each, i) => {
        expect(Math.abs(centre + spread * each - numbers[i]!)).toBeLessThanOrEqual(scale * 1e-14);
      });
    }),
  );
  expect(standardise(new Float64Array(5).fill(3))).toEqual({ centre: 3, spread: 1 });
});

/** Rows [0, count) of columns of every scale, a column of doubles, and factors. */
function draw(count: number, features: number, seed: number) {
  const random = new Random(seed);
  const columns = Array.from({ length: features }, (_, f) =>
    Float32Array.from({ length: count }, () => (random.uniform() + f) * 10 ** (f % 5)),
  );
  const means = Float64Array.from(columns, (column) => look(column).mean);
  const others = ['ones', Float64Array.from({ length: count }, () => random.uniform())] as const;
  return { columns, count, means, others, factors: Float64Array.from({ length: count }, () => random.uniform()) };
}

test('products of all pairs are those of a loop over pairs and rows', () => {
  fc.assert(
    fc.property(
      fc.integer({ min: 1, max: 700 }),
      fc.nat(11),
      fc.nat(2),
      fc.boolean(),
      fc.nat(),
      (count, features, some, isWeighed, seed) => {
        const { columns, means, others, factors } = draw(count, features, seed);
        const own = others.slice(0, some);
        const found = products({ columns, count }, means, own, isWeighed ? factors : undefined);
        const z = [
          ...columns.map((column, f) => Array.from(column, (each) => each - means[f]!)),
          ...own.map((other) => (other === 'ones' ? new Array<number>(count).fill(1) : [...other])),
        ];
        for (let f = 0; f < z.length; f++)
          for (let g = 0; g < z.length; g++) {
            let sum = 0;
            let sizes = 0;
            for (let i = 0; i < count; i++) {
              const product = (isWeighed ? factors[i]! : 1) * z[f]![i]! * z[g]![i]!;
              sum += product;
              sizes += Math.abs(product);
            }
            expect(Math.abs(found[f * z.length + g]! - sum / count)).toBeLessThanOrEqual((sizes / count) * 1e-13);
          }
      },
    ),
    { numRuns: 60 },
  );
});

test('rows and columns of more than are copied at a time', () => {
  const { columns, count, means, others, factors } = draw(3001, 130, 4);
  const found = products({ columns, count }, means, others, factors);
  const size = 132;
  for (const [f, g] of [
    [0, 0],
    [129, 3],
    [7, 129],
  ] as const) {
    let sum = 0;
    for (let i = 0; i < count; i++) sum += factors[i]! * (columns[f]![i]! - means[f]!) * (columns[g]![i]! - means[g]!);
    expect(found[f * size + g]! / (sum / count)).toBeCloseTo(1, 10);
  }
  expect(found[130 * size + 130]).toBeCloseTo(factors.reduce((a, b) => a + b, 0) / count, 12);
});

test('in float32 they are the same, but for what is rounded; and means, largest values and the scale of the targets are found on the way', () => {
  fc.assert(
    fc.property(fc.integer({ min: 2, max: 700 }), fc.integer({ min: 1, max: 11 }), fc.nat(), (count, features, seed) => {
      const { columns, means, others } = draw(count, features, seed);
      const targets = others[1].map((own) => 1e6 + own * 1e3);
      const found = singleProducts({ columns, count }, targets);
      const { centre, spread } = standardise(targets);
      expect(Math.abs(found.centre - centre)).toBeLessThanOrEqual(spread * 1e-5);
      expect(found.spread / spread).toBeCloseTo(1, 5);
      const exact = products({ columns, count }, means, ['ones', targets]);
      const size = features + 2;
      expect(found.largests).toEqual(columns.map((column) => look(column).largest));
      means.forEach((mean, f) => {
        const spread = Math.sqrt(exact[f * (size + 1)]!);
        expect(Math.abs(found.means[f]! - mean)).toBeLessThanOrEqual(spread * 1e-5);
        for (let g = 0; g < size; g++) {
          const most = spread * Math.sqrt(exact[g * (size + 1)]!);
          expect(Math.abs(found.matrix[f * size + g]! - exact[f * size + g]!)).toBeLessThanOrEqual(most * 1e-5 + 1e-30);
          expect(found.matrix[g * size + f]).toBe(found.matrix[f * size + g]);
        }
      });
    }),
    { numRuns: 60 },
  );
});

/** A regression of so many rows that they are gone through once. */
function large(of: (f: number, uniform: () => number) => number): { x: Matrix; y: Target & { task: 'regression' } } {
  const random = new Random(9);
  const [rows, columns] = [rowsOfOnePass + 3, 4];
  const data = Float32Array.from({ length: rows * columns }, (_, at) => of(Math.floor(at / rows), () => random.uniform()));
  const names = Array.from({ length: columns }, (_, f) => `c${f}`);
  const values = Float64Array.from({ length: rows }, (_, row) => 2 * data[row]! - data[rows + row]! + random.uniform());
  return { x: { rows, columns, names, data }, y: { task: 'regression', values } };
}

const penalties = { solver: 'lbfgs', balanced: false, maxIter: 200, tol: 1e-6, learningRate: null, batchSize: 1 } as const;

test('a large regression that is solved in float32 ends where the exact one does', () => {
  const { x, y } = large((f, uniform) => (uniform() - 0.5 + (f === 2 ? 1000 : 0)) * (f === 3 ? 0.01 : 1));
  const design = makeDesign(x, y, false);
  expect(design.singleProducts).toBeDefined();
  for (const [l1, l2] of [
    [0.01, 0.001],
    [0, 0.1],
  ] as const) {
    const { point, curve } = solveSquares(design, { ...penalties, l1, l2 });
    const gradient = new Float64Array(point.length);
    const loss = design.loss.evaluate(design.rows, point, l2, gradient);
    expect(curve.at(-1)!).toBeCloseTo(loss + l1 * point.subarray(0, 4).reduce((sum, own) => sum + Math.abs(own), 0), 7);
    const exact = solveSquares({ ...design, singleProducts: undefined }, { ...penalties, l1, l2 }).point;
    exact.forEach((own, f) => {
      expect(Math.abs(point[f]! - own)).toBeLessThanOrEqual(1e-6);
      if (f < 4) expect(point[f] === 0).toBe(own === 0);
    });
  }
  expect(design.products).toBeUndefined();
});

test('the targets of a large regression are standardised once they are asked for', () => {
  const { x, y } = large((_, uniform) => uniform());
  const { rows, centre, spread } = makeDesign(x, y, false);
  rows.targets.forEach((own, row) => {
    expect(centre + spread * own).toBeCloseTo(y.values[row]!, 12);
  });
  expect(rows.targets).toBe(rows.targets);
});

test('where the penalty is less than what float32 errs by, or columns or targets are not of plain numbers, the exact products are taken', () => {
  const plain = large((_, uniform) => uniform());
  const design = makeDesign(plain.x, plain.y, false);
  solveSquares(design, { ...penalties, l1: 0.01, l2: 0 });
  expect(design.products).toBeDefined();
  for (const odd of [NaN, Infinity, 3e38, 1e-30]) {
    const { x, y } = large((f, uniform) => (f === 1 ? (uniform() > 0.5 ? odd : 0) : uniform()));
    expect(makeDesign(x, y, false).singleProducts).toBeUndefined();
  }
  const { x, y } = plain;
  for (const odd of [1e30, 1e-30, 0]) {
    const values = y.values.map((_, row) => (row === 1 ? odd : 0));
    expect(makeDesign(x, { ...y, values }, false).singleProducts).toBeUndefined();
  }
});

test('columns that do not vary are none, in float32 either', () => {
  const { x, y } = large((f, uniform) => (f === 2 ? 0.1 : uniform()));
  const { varying, loss, rows, largests, singleProducts: found } = makeDesign(x, y, false);
  expect([...varying]).toEqual([0, 1, 3]);
  expect([loss.features, rows.columns.length, largests.length]).toEqual([3, 3, 3]);
  const exact = products(rows, loss.means, ['ones', rows.targets]);
  found!.forEach((product, at) => {
    expect(product).toBeCloseTo(exact[at]!, 6);
  });
});

test('what is thrown on the way ends them', () => {
  const { columns, count, means } = draw(10, 2, 1);
  const stop = () => {
    throw new RangeError('the time is over');
  };
  expect(() => products({ columns, count }, means, [], undefined, stop)).toThrow('the time is over');
});

/** Regressions in which some columns are sums of others, so that there are many optima. */
function dependent(rows: number, columns: number, seed: number): { x: Matrix; values: Float64Array } {
  const random = new Random(seed);
  const data = new Float32Array(rows * columns);
  for (let i = 0; i < data.length; i++) data[i] = random.uniform() - 0.5;
  for (let f = 3; f < columns; f += 3)
    for (let row = 0; row < rows; row++) data[f * rows + row] = data[row]! - 2 * data[(f - 1) * rows + row]! + (f % 2);
  const names = Array.from({ length: columns }, (_, f) => `c${f}`);
  const values = Float64Array.from({ length: rows }, (_, row) => data[row]! + data[rows + row]! * 3 + random.uniform());
  return { x: { rows, columns, names, data }, values };
}

test('squares: at the end no coefficient could be moved to a lower loss, whatever the penalty, and no round made it higher', () => {
  const alphas = fc.constantFrom(1e-6, 1e-4, 1e-3, 0.01, 0.1, 1);
  fc.assert(
    fc.property(
      fc.integer({ min: 5, max: 200 }),
      fc.integer({ min: 2, max: 20 }),
      alphas,
      fc.constantFrom(0, 0.5, 1),
      fc.nat(),
      (rows, columns, alpha, ratio, seed) => {
        const { x, values } = dependent(rows, columns, seed);
        const design = makeDesign(x, { task: 'regression', values }, false);
        const [l1, l2] = [alpha * ratio, alpha * (1 - ratio)];
        const { point, curve } = solveSquares(design, { ...penalties, l1, l2 });
        curve.forEach((loss, i) => {
          expect(loss).toBeLessThanOrEqual((curve[i - 1] ?? Infinity) + 1e-14);
        });
        const gradient = new Float64Array(point.length);
        const loss = design.loss.evaluate(design.rows, point, l2, gradient);
        const features = point.length - 1;
        const sizes = point.subarray(0, features).reduce((sum, own) => sum + Math.abs(own), 0);
        expect(curve.at(-1)!).toBeCloseTo(loss + l1 * sizes, 10);
        gradient.forEach((slope, f) => {
          const off =
            f === features ? Math.abs(slope) : point[f] === 0 ? Math.abs(slope) - l1 : Math.abs(slope + Math.sign(point[f]!) * l1);
          expect(off).toBeLessThanOrEqual(1.1e-6);
        });
      },
    ),
    { numRuns: 100 },
  );
});

test('the committed kernel is what its source compiles to', async () => {
  const committed = readFileSync(new URL('../../core/models/linear/kernel/columns.wasm.ts', import.meta.url), 'utf8');
  expect(await compileKernel('models/linear/kernel/columns.wasm.ts')).toBe(committed);
});

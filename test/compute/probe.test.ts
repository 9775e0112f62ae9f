import { describe, expect, test } from 'vitest';
import { probe } from '../../core/compute/probe.ts';
import { coreSecondsOf } from '../../core/compute/work.ts';
import { linear } from '../../core/models/linear/linear.ts';
import { svm } from '../../core/models/svm/svm.ts';
import { Random } from '../../core/random.ts';
import { makeSample, type Sample } from '../models/data.ts';

/** The same table with labels by lot in a share of the rows. */
function noisy({ x, y }: Sample, share: number): Sample {
  const random = new Random(3);
  if (y.task !== 'classification') throw new TypeError('a classification was expected');
  return { x, y: { ...y, labels: y.labels.map((label) => (random.uniform() < share ? random.below(y.classes) : label)) } };
}

describe('a probe of a table', () => {
  const easy = makeSample(2000, 6, 2, 1);
  const hard = noisy(easy, 0.8);

  test('says the same each time, of fewer rows than there are', async () => {
    const found = await probe(easy.x, easy.y);
    expect(await probe(easy.x, easy.y)).toEqual(found);
    expect(found.svm!.rows).toBe(300);
    expect(found.descent).toBeUndefined();
  });

  test('tells hard from easy, and so do the estimates of support vector machines', async () => {
    const [a, b] = [await probe(easy.x, easy.y), await probe(hard.x, hard.y)];
    expect(b.svm!.vectors).toBeGreaterThan(a.svm!.vectors);
    const shape = { rows: 2000, features: 6, classes: 2 };
    const candidates = [svm.parse({ C: 10 })];
    const [soon, late] = [a, b].map((known) => coreSecondsOf('svm', { ...shape, probe: known }, candidates).point);
    expect(late).toBeGreaterThan(soon!);
  });

  test('counts the epochs of those gradient descents that dataset.json asks for', async () => {
    const grids = { linear: { solver: ['lbfgs', 'gd'], penalty: ['l2'], alpha: [0.01, 1] } };
    const { descent, svm: machines } = await probe(easy.x, easy.y, { families: ['linear'], grids });
    expect(machines).toBeUndefined();
    expect(Object.keys(descent!.epochs)).toEqual(['gd l2 0.01', 'gd l2 1']);
    const shape = { rows: 2000, features: 6, classes: 2 };
    const epochs = (count: number) => ({ ...shape, probe: { descent: { rows: 1000, epochs: { 'gd l2 0.01': count } } } });
    const seconds = (count: number) => coreSecondsOf('linear', epochs(count), [linear.parse({ solver: 'gd', alpha: 0.01 })]).point;
    expect(seconds(100) / seconds(10)).toBeGreaterThan(4);
  });

  test('has nothing to say of machines where all rows are of one class, or classes are many', async () => {
    const { x } = makeSample(50, 3, 2, 1);
    expect(await probe(x, { task: 'classification', classes: 2, labels: new Int32Array(50) })).toEqual({});
    expect(await probe(x, { task: 'classification', classes: 30, labels: Int32Array.from({ length: 50 }, (_, i) => i % 30) })).toEqual({});
  });
});

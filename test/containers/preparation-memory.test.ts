/** Estimates of what cleaning and transforming hold, against jobs that are killed as soon as they hold more than such an estimate gives them. */
import { mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { margin } from '../../core/compute/batch.ts';
import { cleaningBytes, featureBytes } from '../../core/compute/table-memory.ts';
import { dataKeys } from '../../core/keys.ts';
import { getJson } from '../../core/object-store.ts';
import { Random } from '../../core/random.ts';
import type { CleanReport } from '../../core/table/report.ts';
import { JobMachine } from './job-machine.ts';

const directory = mkdtempSync(join(tmpdir(), 'ingot-preparation-'));
let machine: JobMachine;
beforeAll(async () => {
  machine = await JobMachine.start();
});
afterAll(async () => {
  await machine.stop();
  rmSync(directory, { recursive: true, force: true });
});

const words = Array.from({ length: 5000 }, (_, place) => new Random(place).below(2 ** 30).toString(36));
const number = (random: Random) => (random.uniform() * 2 - 1).toFixed(12);
const word = (random: Random) => words[Math.floor(words.length * random.uniform() ** 3)]!;
const customer = (random: Random) => `customer-${random.below(40_000)}`;

interface Shape {
  rows: number;
  columns: number;
  /** How many of the rows are different, the others equal earlier ones. */
  different?: number;
  cell(random: Random): string;
}

const shapes: Record<string, Shape> = {
  'twenty numbers': { rows: 100_000, columns: 20, cell: number },
  'one number in many rows': { rows: 1_500_000, columns: 1, cell: number },
  'keys of many values': { rows: 200_000, columns: 4, cell: customer },
  text: { rows: 100_000, columns: 1, cell: (random) => Array.from({ length: 30 }, () => word(random)).join(' ') },
  'rows that come again': { rows: 100_000, different: 60_000, columns: 20, cell: number },
};

function writeTable(path: string, { rows, columns, different = rows, cell }: Shape): number {
  const names = Array.from({ length: columns }, (_, column) => `c${column}`);
  const lines = Array.from({ length: rows }, (_, row) => {
    const random = new Random(row % different);
    return [...names.map(() => cell(random)), random.below(2) ? 'yes' : 'no'].join(',');
  });
  writeFileSync(path, `${[...names, 'y'].join(',')}\n${lines.join('\n')}\n`);
  return statSync(path).size;
}

describe.skipIf(process.platform !== 'linux')('a job that has the memory that is estimated for its table', () => {
  test.each(Object.entries(shapes))(
    'cleans and transforms %s, and transforming needs a good part of it',
    { timeout: 300_000 },
    async (what, shape) => {
      const { data } = machine;
      const dataset = what.replaceAll(' ', '-');
      const path = join(directory, `${dataset}.csv`);
      const bytes = writeTable(path, shape);
      const key = `raw/${dataset}/data.csv`;
      await data.upload(path, key);
      const held = async (stage: 'Clean' | 'Transform', event: object, estimated: number) => {
        const memory = Math.ceil((estimated * margin) / 2 ** 20);
        const { code, peak, said } = await machine.runWithin(memory, stage, event);
        expect(code, `${stage} of ${Math.round(peak)} of ${memory} MB: ${said}`).toBe(0);
        return peak * 2 ** 20;
      };
      await held('Clean', { key, sequencer: '01', eventTime: '2026-11-25T08:00:00Z' }, cleaningBytes(bytes));
      const { revision } = (await getJson<{ revision: string }>(data, dataKeys.current(dataset)))!;
      const report = (await getJson<CleanReport>(data, dataKeys.report(dataset, revision)))!;
      expect(report.rows.kept).toBeLessThanOrEqual(shape.different ?? shape.rows);
      const peak = await held('Transform', { dataset, revision }, featureBytes(report));
      expect(featureBytes(report) / peak).toBeLessThan(3);
    },
  );
});

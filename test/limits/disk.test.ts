/** The disk of a function (up to 10 GB) and of a job (200 GB), on which an upload is cleaned. */
import { expect, test, vi } from 'vitest';
import { dataKeys } from '../../core/keys.ts';
import { getJson } from '../../core/object-store.ts';
import type { DatasetPointer } from '../../core/registry/datasets.ts';
import { clean } from '../../functions/clean.lambda.ts';
import { Laboratory } from '../functions/laboratory.ts';

const free = vi.hoisted(() => ({ bytes: 2 ** 40 }));
vi.mock('node:fs/promises', async (original) => ({
  ...(await original<object>()),
  statfs: async () => ({ bavail: free.bytes, bsize: 1 }),
}));

const csv = `a,y\n${Array.from({ length: 50 }, (_, i) => `${i},${i % 2}`).join('\n')}\n`;
const rejected = {
  status: 'REJECTED',
  error: {
    code: 'UnreadableDataset',
    message: 'The disk on which the upload of 1 MB is cleaned is too small for it.',
    fix: expect.stringContaining('pipelineDisk'),
  },
};

test('an upload that is larger than what is free is refused before it is fetched', async () => {
  const lab = new Laboratory();
  free.bytes = 100;
  await clean(await lab.upload('raw/d/d.csv', csv), lab.services);
  expect(await getJson<DatasetPointer>(lab.rawData, dataKeys.current('d'))).toMatchObject(rejected);
  free.bytes = 2 ** 40;
});

test.each([
  Object.assign(new Error('ENOSPC: no space left on device, write'), { code: 'ENOSPC' }),
  new Error(
    "Out of Memory Error: failed to offload data block of size 256.0 KiB (3.9 GiB/3.9 GiB used). This limit was set by the 'max_temp_directory_size' setting.",
  ),
])('one whose tables fill the disk is refused too: %s', async (full) => {
  const lab = new Laboratory();
  const event = await lab.upload('raw/d/d.csv', csv);
  lab.services.data.download = async () => {
    throw full;
  };
  await clean(event, lab.services);
  expect(await getJson<DatasetPointer>(lab.rawData, dataKeys.current('d'))).toMatchObject(rejected);
});

test('what else goes wrong is not the disk’s fault', async () => {
  const lab = new Laboratory();
  const event = await lab.upload('raw/d/d.csv', csv);
  lab.services.data.download = async () => {
    throw new Error('no connection');
  };
  await expect(clean(event, lab.services)).rejects.toThrow('no connection');
});

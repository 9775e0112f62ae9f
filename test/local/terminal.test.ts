import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { PassThrough } from 'node:stream';
import { expect, test } from 'vitest';
import { about, bar, Terminal } from '../../local/terminal.ts';
import { followRun } from '../../local/watch.ts';

function fake(isTTY: boolean) {
  const stream = Object.assign(new PassThrough(), { isTTY, columns: 60 });
  return { out: stream as unknown as NodeJS.WriteStream, text: () => String(stream.read() ?? '') };
}

test('without a terminal every step is a line, once', () => {
  const { out, text } = fake(false);
  const terminal = new Terminal(out);
  terminal.live('run', 'Search', 'data 10 %');
  terminal.live('run', 'Search', 'data 20 %');
  terminal.live('run', 'Fit', 'data 60 %');
  terminal.done('run', 'data is live');
  expect(text()).toBe('data 10 %\ndata 60 %\ndata is live\n');
});

test('on a terminal lines go above what is live, and nothing wraps', async () => {
  const { out, text } = fake(true);
  const terminal = new Terminal(out);
  terminal.live('run', 'Search', `${bar(0.5)} ${'x'.repeat(100)}`);
  await expect.poll(text).toMatch(/^█{12}░{12} {2}50 % x+\n$/);
  terminal.line('news');
  const [erased, live] = text().split('news\n');
  expect(erased).toBe('\u001b[1A\u001b[0J');
  expect(live).toHaveLength(60);
  terminal.done('run', 'done');
  expect(text()).toBe('\u001b[1A\u001b[0Jdone\n');
});

test('a run is followed with its stages, its trials and the time that is left, to its end', async () => {
  const run = {
    id: 'd-1',
    dataset: 'd',
    status: 'RUNNING',
    stage: 'Search',
    progress: 0.25,
    trials: { done: 2, planned: 8 },
    remaining: 12.3,
  };
  const answers = [
    run,
    { ...run, stage: 'Fit', progress: 0.8, remaining: 200 },
    { ...run, status: 'SUCCEEDED', model: { name: 'd', version: 3 } },
  ];
  const server = createServer((_, response) => response.end(JSON.stringify(answers.shift())));
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
  const { out, text } = fake(false);
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/`;
  expect(await followRun({ url, key: 'k' }, new Terminal(out), 'd-1')).toMatchObject({ status: 'SUCCEEDED' });
  server.close();
  const [search, fit, end] = text().split('\n');
  expect(search).toMatch(/25 % {2}Search 2 of 8, about 13 s left$/);
  expect(fit).toMatch(/80 % {2}Fit, about 3 min left$/);
  expect(end).toMatch(/d version 3 is live/);
  expect(about(89.5)).toBe('about 90 s');
});

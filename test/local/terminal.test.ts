import { PassThrough } from 'node:stream';
import { expect, test } from 'vitest';
import { bar, Terminal } from '../../local/terminal.ts';

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

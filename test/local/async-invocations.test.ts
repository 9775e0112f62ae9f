import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { AsyncInvocations, defaultAsyncSettings } from '../../local/lambda/async-invocations.ts';
import type { LambdaFunction } from '../../local/lambda/function.ts';
import { newHome } from './assembly.ts';

const failing = {
  lambda: { invoke: async () => ({ failed: true, payload: '{"errorMessage":"no"}' }) } as unknown as LambdaFunction,
  settings: { ...defaultAsyncSettings, retries: 0, deadLetter: 'dead' },
};

test('closing waits for what is being handed on, and starts nothing more', { timeout: 10_000 }, async () => {
  const home = newHome();
  const pending = () => readdirSync(join(home, 'lambda', 'pending'));
  const [begun, held] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
  let deliveries = 0;
  const invocations = new AsyncInvocations(home, {
    find: () => failing,
    gaveUp: () => undefined,
    deliver: async () => {
      deliveries++;
      begun.resolve();
      await held.promise;
    },
  });
  await invocations.enqueue('one', '{}');
  await begun.promise;
  const late = invocations.enqueue('late', '{}');
  const closed = invocations.close();
  expect(await Promise.race([closed, new Promise((done) => setTimeout(done, 50, 'waits'))])).toBe('waits');
  held.resolve();
  await closed;
  const id = await late;
  // The one is done with; the other, accepted while it closed, is on the disk for the next start.
  expect([deliveries, pending()]).toEqual([1, [`${id}.json`]]);
});

/** `npm start`: the whole of Ingot on this machine. */
import { existsSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { IngotError } from '../core/errors.ts';
import { version } from '../core/names.ts';
import type { BatchSettings } from './batch/batch.ts';
import { complain } from './complain.ts';
import { dashboardPath } from './observe/dashboard.ts';
import { startCloud } from './start-cloud.ts';
import { synthesize } from './synth.ts';
import { Terminal } from './terminal.ts';
import { nextSteps, tour } from './tour.ts';
import { Watcher } from './watch.ts';

const home = resolve(process.env['INGOT_HOME'] ?? join(import.meta.dirname, '../.ingot'));
const terminal = new Terminal();

function portOf(text: string): number {
  const port = Number(text);
  if (Number.isInteger(port) && port >= 0 && port <= 65_535) return port;
  throw new IngotError('InvalidRequest', `INGOT_PORT is '${text}', which is no port.`, {
    where: 'INGOT_PORT',
    fix: 'Use a number from 1 to 65535.',
  });
}

function numberOf(name: string): number | undefined {
  const text = process.env[name];
  if (text === undefined) return undefined;
  if (text !== '' && Number(text) >= 0) return Number(text);
  throw new IngotError('InvalidRequest', `${name} is '${text}', which is no number of 0 or more.`, {
    where: name,
    fix: 'See docs/laptop.md.',
  });
}

/** What of the laptop's Batch its environment sets. */
function batchSettings(): BatchSettings {
  const vcpus = numberOf('INGOT_BATCH_VCPUS');
  const spot = { seed: numberOf('INGOT_SPOT_SEED') ?? 0, perMinute: numberOf('INGOT_SPOT_RATE') ?? 0 };
  return { spot, ...(vcpus !== undefined && { vcpus }) };
}

async function start(): Promise<void> {
  const began = performance.now();
  const port = portOf(process.env['INGOT_PORT'] ?? '4566');
  const isNew = !existsSync(join(home, 's3'));
  terminal.line(`Ingot ${version}: making the stack …`);
  const watcher = new Watcher(terminal);
  const running = await startCloud({ assembly: () => synthesize(), home, port, observer: watcher.observer, batch: batchSettings() });
  const { outputs } = running;
  const api = { url: outputs['ApiUrl']!, key: outputs['ApiKey']! };
  let stopping: number | undefined;
  const stop = async () => {
    // npm hands on a Ctrl-C that has reached us already; one a second later is somebody who is tired of waiting.
    if (stopping !== undefined && performance.now() - stopping < 1000) return;
    if (stopping !== undefined) process.exit(130);
    stopping = performance.now();
    watcher.close();
    terminal.close();
    await running.close();
    process.exit(0);
  };
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => void stop().catch(complain));
  watcher.open(api);
  terminal.line(`Ready after ${((performance.now() - began) / 1000).toFixed(1)} s.`);
  terminal.line();
  terminal.line(`  API      ${outputs['ApiUrl']}   x-api-key: ${outputs['ApiKey']}`);
  terminal.line(`  AWS      ${outputs['EndpointUrl']}   (access key and secret: test)`);
  terminal.line(`  Console  ${outputs['ConsoleUrl']}#key=${outputs['ApiKey']}`);
  terminal.line(`  Metrics  ${outputs['EndpointUrl']}${dashboardPath}`);
  terminal.line(`  Home     ${home}`);
  terminal.line();
  if (isNew && process.env['INGOT_EXAMPLE'] !== 'off') {
    // A failed tour is told, and what was started stays.
    await tour(api, outputs, terminal).catch((error: unknown) => terminal.line(`The example failed: ${(error as Error).message}`));
    terminal.line();
  }
  if (stopping === undefined) terminal.line(await nextSteps(api, outputs));
}

start().catch((error: unknown) => {
  terminal.close();
  if (error instanceof IngotError) {
    process.stderr.write(
      `${error.message}\n${error.where ? `  where: ${error.where}\n` : ''}${error.fix ? `  fix:   ${error.fix}\n` : ''}`,
    );
  } else complain(error);
  process.exit(1);
});

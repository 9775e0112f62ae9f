import { spawn } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { python } from '../python.ts';

export interface MiniStack {
  /** `http://127.0.0.1:<port>`. */
  endpoint: string;
  /** Its folder. */
  home: string;
  /** What it has printed so far, to show where a test against it fails. */
  log(): string;
  /** Ends it and removes its files. */
  stop(): Promise<void>;
}

/**
 * Starts MiniStack, an AWS emulator that we didn't write, on a free port of 127.0.0.1, with what `ministack_plus.py` adds to it. Needs
 * `pythonHas('ministack', 'boto3')`.
 *
 * @param environment added to its own; see `ministack_plus.py`
 */
export async function startMiniStack(environment: Record<string, string> = {}): Promise<MiniStack> {
  const port = await freePort();
  const home = await mkdtemp(join(tmpdir(), 'ingot-ministack-'));
  const child = spawn(python, [join(import.meta.dirname, 'ministack_plus.py')], {
    cwd: home,
    // Its own process group, so that the Lambda processes it starts end with it.
    detached: true,
    stdio: ['ignore', 'pipe', 'pipe'],
    env: {
      ...process.env,
      // Functions run with the `node` that runs us.
      PATH: `${dirname(process.execPath)}:${process.env['PATH'] ?? ''}`,
      GATEWAY_PORT: String(port),
      BIND_HOST: '127.0.0.1',
      LAMBDA_EXECUTOR: 'local',
      TMPDIR: home,
      ...environment,
    },
  });
  let log = '';
  for (const stream of [child.stdout, child.stderr]) stream.setEncoding('utf8').on('data', (text: string) => (log += text));
  const exited = new Promise<void>((done) => child.once('exit', () => done()));
  const stop = async () => {
    if (child.exitCode === null && child.signalCode === null && child.pid !== undefined) process.kill(-child.pid, 'SIGKILL');
    await exited;
    await rm(home, { recursive: true, force: true, maxRetries: 5 });
  };

  const endpoint = `http://127.0.0.1:${port}`;
  const deadline = Date.now() + 90_000;
  while (!(await answers(`${endpoint}/_ministack/health`))) {
    if (child.exitCode !== null || Date.now() > deadline) {
      await stop();
      throw new Error(`MiniStack did not start:\n${log}`);
    }
    await new Promise((done) => setTimeout(done, 200));
  }
  return { endpoint, home, log: () => log, stop };
}

async function answers(url: string): Promise<boolean> {
  try {
    return (await fetch(url)).ok;
  } catch {
    return false;
  }
}

/** A port that nobody listens on now. */
export function freePort(): Promise<number> {
  return new Promise((done, fail) => {
    const server = createServer().once('error', fail);
    server.listen(0, '127.0.0.1', () => {
      const { port } = server.address() as { port: number };
      server.close(() => done(port));
    });
  });
}

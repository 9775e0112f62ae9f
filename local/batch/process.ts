/** One attempt of a job: its command as a process of this machine, in a folder of its own, until it ends or is ended. */
import { type ChildProcess, spawn } from 'node:child_process';
import { mkdirSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import type { Readable } from 'node:stream';
import { complain } from '../complain.ts';

export interface ProcessOptions {
  command: readonly string[];
  environment: Record<string, string>;
  /** Made for it, and removed after it. */
  folder: string;
  /** From SIGTERM to SIGKILL. */
  graceMs: number;
  /** Whole lines, so that those of jobs that share a log group do not mix. */
  onOutput(lines: Buffer): void;
}

/** How a process ended: with an exit code as a shell tells it (128 and the signal's number), or without having been started. */
export interface Exit {
  code?: number;
  error?: string;
}

const signalNumbers: Partial<Record<NodeJS.Signals, number>> = { SIGHUP: 1, SIGINT: 2, SIGABRT: 6, SIGKILL: 9, SIGSEGV: 11, SIGTERM: 15 };

export class JobProcess {
  readonly exit: Promise<Exit>;
  readonly #child: ChildProcess;
  readonly #graceMs: number;
  #grace: NodeJS.Timeout | undefined;

  constructor({ command, environment, folder, graceMs, onOutput }: ProcessOptions) {
    this.#graceMs = graceMs;
    mkdirSync(folder, { recursive: true });
    const [file = '', ...args] = command;
    // A group of its own, so that what it starts ends with it, and Ctrl-C is for the laptop cloud alone.
    this.#child = spawn(file, args, { cwd: folder, env: environment, detached: true, stdio: ['ignore', 'pipe', 'pipe'] });
    for (const stream of [this.#child.stdout!, this.#child.stderr!]) wholeLines(stream, onOutput);
    const { promise, resolve } = Promise.withResolvers<Exit>();
    this.#child.on('error', (error) => resolve({ error: error.message }));
    this.#child.on('close', (code, signal) => resolve({ code: code ?? 128 + (signalNumbers[signal!] ?? 0) }));
    this.exit = promise.finally(() => {
      clearTimeout(this.#grace);
      // Whatever it started and left behind is not part of the next attempt.
      this.#signal('SIGKILL');
      void rm(folder, { recursive: true, force: true, maxRetries: 3 }).catch(complain);
    });
  }

  get pid(): number | undefined {
    return this.#child.pid;
  }

  /** Asks it to end, and a while later no longer asks. */
  stop(): void {
    if (this.#grace) return;
    this.#signal('SIGTERM');
    this.#grace = setTimeout(() => this.kill(), this.#graceMs).unref();
  }

  kill(): void {
    this.#signal('SIGKILL');
  }

  #signal(signal: NodeJS.Signals): void {
    if (this.#child.pid !== undefined) signalGroup(this.#child.pid, signal);
  }
}

export function signalGroup(pid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(process.platform === 'win32' ? pid : -pid, signal);
  } catch {
    // It is gone already.
  }
}

function wholeLines(stream: Readable, onOutput: (lines: Buffer) => void): void {
  let rest: Buffer[] = [];
  const newline = 10;
  stream.on('data', (chunk: Buffer) => {
    const end = chunk.lastIndexOf(newline) + 1;
    if (end > 0) {
      onOutput(Buffer.concat([...rest, chunk.subarray(0, end)]));
      rest = [];
    }
    if (end < chunk.length) rest.push(chunk.subarray(end));
  });
  stream.on('close', () => {
    if (rest.length > 0) onOutput(Buffer.concat([...rest, Buffer.from('\n')]));
  });
}

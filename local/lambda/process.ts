/** One process of a function: the synthesized asset under `bootstrap.ts`, one invocation at a time. */
import { type ChildProcess, spawn } from 'node:child_process';
import type { Socket } from 'node:net';
import { join } from 'node:path';
import { encodeFrame, type FrameKind, FrameReader, frameKinds } from './channel.ts';

/** What an invocation gave: the payload is JSON as the function wrote it; `failed` is Lambda's `FunctionError: Unhandled`. */
export interface Outcome {
  failed: boolean;
  payload: string;
}

export interface Invocation {
  id: string;
  /** The event as JSON. */
  event: string;
  settle(outcome: Outcome): void;
}

export interface ProcessOptions {
  root: string;
  environment: Record<string, string>;
  memoryMb: number;
  timeoutMs: number;
  onOutput(chunk: Buffer): void;
  /** An invocation ended, so there may be room for the next. `ms` since it had the process to itself. */
  onAnswer(process: LambdaProcess, outcome: Outcome, ms: number): void;
  /** It is gone; what it had not begun is handed back. */
  onExit(process: LambdaProcess, unbegun: Invocation[]): void;
}

const bootstrap = join(import.meta.dirname, 'bootstrap.ts');
/** Lambda allows 10 s for loading; a laptop that starts many at once gets more. */
const startLimitMs = 60_000;

export class LambdaProcess {
  readonly invocations: Invocation[] = [];
  /** When it last had nothing to do, by `performance.now()`. */
  idleSince = performance.now();
  #begun = performance.now();
  #ready = false;
  #broken: string | undefined;
  #timedOut = false;
  readonly #child: ChildProcess;
  readonly #channel: Socket;
  readonly #options: ProcessOptions;
  #batch: Buffer[] = [];

  constructor(options: ProcessOptions) {
    this.#options = options;
    this.#child = spawn(process.execPath, [`--max-old-space-size=${heapLimitMb(options.memoryMb)}`, bootstrap], {
      cwd: options.root,
      env: options.environment,
      // A group of its own: Ctrl-C is for the laptop cloud, which then stops its functions.
      detached: true,
      stdio: ['ignore', 'pipe', 'pipe', 'pipe'],
    });
    this.#child.stdout!.on('data', options.onOutput);
    this.#child.stderr!.on('data', options.onOutput);
    this.#channel = this.#child.stdio[3] as Socket;
    const reader = new FrameReader((kind, text) => this.#receive(kind, text));
    this.#channel.on('data', (chunk: Buffer) => reader.push(chunk));
    this.#channel.on('error', () => undefined);
    this.#child.on('error', (error) => {
      this.#broken = JSON.stringify({ errorType: 'Runtime.ExitError', errorMessage: error.message });
      this.#exit(error.message);
    });
    this.#child.on('close', (code, signal) => this.#exit(signal ? `signal: ${signal}` : `exit status ${code}`));
  }

  get pid(): number | undefined {
    return this.#child.pid;
  }

  invoke(invocation: Invocation): void {
    this.invocations.push(invocation);
    if (this.invocations.length === 1) this.#begun = performance.now();
    this.#batch.push(encodeFrame(frameKinds.invoke, `{"id":"${invocation.id}","event":${invocation.event}}`));
    if (this.#batch.length === 1) queueMicrotask(this.#send);
  }

  readonly #send = (): void => {
    if (this.#channel.writable) this.#channel.write(this.#batch.length === 1 ? this.#batch[0]! : Buffer.concat(this.#batch));
    this.#batch = [];
  };

  /** Kills the process where its invocation has had its time; called by the pool's clock. */
  checkTime(now: number): void {
    if (this.invocations.length === 0 || now - this.#begun < (this.#ready ? this.#options.timeoutMs : startLimitMs)) return;
    this.#timedOut = true;
    this.kill();
  }

  kill(): void {
    this.#child.kill('SIGKILL');
  }

  #receive(kind: FrameKind, text: string): void {
    if (kind === frameKinds.broken) {
      this.#broken = text;
      return;
    }
    const now = performance.now();
    if (kind === frameKinds.ready) {
      this.#ready = true;
      this.#begun = now;
      return;
    }
    const invocation = this.invocations.shift();
    if (!invocation) return;
    const outcome = text.length > payloadLimit ? tooLarge(text.length) : { failed: kind === frameKinds.error, payload: text };
    const ms = now - this.#begun;
    this.#begun = now;
    if (this.invocations.length === 0) this.idleSince = now;
    invocation.settle(outcome);
    this.#options.onAnswer(this, outcome, ms);
  }

  #exit(how: string): void {
    const [current, ...unbegun] = this.invocations.splice(0);
    // It leaves the pool before the answer makes room for the next: that is not to be handed to the dead.
    this.#options.onExit(this, unbegun);
    if (current) {
      const outcome = { failed: true, payload: this.#broken ?? this.#explain(current.id, how) };
      current.settle(outcome);
      this.#options.onAnswer(this, outcome, performance.now() - this.#begun);
    }
  }

  #explain(id: string, how: string): string {
    if (this.#timedOut) {
      const seconds = (this.#options.timeoutMs / 1000).toFixed(2);
      return JSON.stringify({
        errorType: 'Sandbox.Timedout',
        errorMessage: `RequestId: ${id} Error: Task timed out after ${seconds} seconds`,
      });
    }
    return JSON.stringify({
      errorType: 'Runtime.ExitError',
      errorMessage: `RequestId: ${id} Error: Runtime exited with error: ${how}`,
    });
  }
}

/** Lambda's limit for a synchronous answer, in bytes. */
const payloadLimit = 6 * 1024 * 1024;

function tooLarge(size: number): Outcome {
  const errorMessage = `Response payload size (${size} bytes) exceeded maximum allowed payload size (${payloadLimit} bytes).`;
  return { failed: true, payload: JSON.stringify({ errorType: 'Function.ResponseSizeTooLarge', errorMessage }) };
}

/** The memory is for all of the process: leave a quarter, but at most 256 MB, to buffers and native code. */
export function heapLimitMb(memoryMb: number): number {
  return memoryMb - Math.min(256, Math.ceil(memoryMb / 4));
}

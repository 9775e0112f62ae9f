/**
 * Ends the jobs' processes where the laptop cloud is killed: it would leave them running, and its next start begins them anew. A process that
 * is told of each group on standard input (`+<pid>`, `-<pid>`), and kills those that are left when the other end closes.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import { signalGroup } from './process.ts';

export class Watchdog {
  readonly #pids = new Set<number>();
  #child: ChildProcess | undefined;

  add(pid: number): void {
    this.#pids.add(pid);
    if (this.#child) this.#tell(`+${pid}`);
    else this.#start();
  }

  remove(pid: number): void {
    this.#pids.delete(pid);
    this.#tell(`-${pid}`);
  }

  close(): void {
    const child = this.#child;
    this.#child = undefined;
    child?.stdin?.end();
  }

  #start(): void {
    const child = spawn(process.execPath, [import.meta.filename], { detached: true, stdio: ['pipe', 'ignore', 'ignore'] });
    this.#child = child;
    child.unref();
    child.stdin!.on('error', () => undefined);
    child.on('error', () => undefined);
    child.on('exit', () => {
      if (this.#child !== child) return;
      this.#child = undefined;
      if (this.#pids.size > 0) this.#start();
    });
    for (const pid of this.#pids) this.#tell(`+${pid}`);
  }

  #tell(line: string): void {
    this.#child?.stdin?.write(`${line}\n`);
  }
}

if (import.meta.main) {
  const left = new Set<number>();
  const lines = createInterface({ input: process.stdin });
  lines.on('line', (line) => {
    const pid = Number(line.slice(1));
    if (line.startsWith('+')) left.add(pid);
    else left.delete(pid);
  });
  lines.on('close', () => {
    for (const pid of left) signalGroup(pid, 'SIGKILL');
  });
}

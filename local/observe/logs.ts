/** Log groups as files: `$INGOT_HOME/logs/<group>.log`, a line an event, each with its time in front. */
import { appendFileSync, existsSync, mkdirSync, readdirSync, renameSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { readText } from '../home.ts';

/** A file that has grown past this is moved aside (once: `<group>.log.1`), so that logs never fill a disk. */
const rotateBytes = 16 * 1024 * 1024;
const flushMs = 200;

interface Group {
  path: string;
  bytes: number;
  /** The beginning of a line whose end has not come yet. */
  rest: string;
  lines: string[];
}

export class Logs {
  readonly #directory: string;
  readonly #groups = new Map<string, Group>();
  readonly #onLine: (group: string, line: string) => void;
  readonly #clock: NodeJS.Timeout;

  constructor(home: string, onLine: (group: string, line: string) => void) {
    this.#directory = join(home, 'logs');
    this.#onLine = onLine;
    mkdirSync(this.#directory, { recursive: true });
    this.#clock = setInterval(() => this.flush(), flushMs).unref();
  }

  create(name: string): void {
    this.#group(name);
  }

  write(name: string, chunk: Buffer): void {
    const group = this.#group(name);
    const lines = (group.rest + chunk.toString('utf8')).split('\n');
    group.rest = lines.pop()!;
    if (lines.length === 0) return;
    const time = new Date().toISOString();
    for (const line of lines) {
      group.lines.push(`${time} ${line}\n`);
      this.#onLine(name, line);
    }
  }

  flush(): void {
    for (const group of this.#groups.values()) {
      if (group.lines.length === 0) continue;
      const text = group.lines.join('');
      group.lines = [];
      if (group.bytes > rotateBytes) {
        renameSync(group.path, `${group.path}.1`);
        group.bytes = 0;
      }
      appendFileSync(group.path, text);
      group.bytes += Buffer.byteLength(text);
    }
  }

  close(): void {
    clearInterval(this.#clock);
    this.flush();
  }

  groups(): string[] {
    return readdirSync(this.#directory)
      .filter((file) => file.endsWith('.log'))
      .map((file) => decodeURIComponent(file.slice(0, -'.log'.length)))
      .sort();
  }

  size(name: string): number {
    return this.#groups.get(name)?.bytes ?? 0;
  }

  read(name: string): { timestamp: number; message: string }[] {
    this.flush();
    return (readText(this.#group(name).path) ?? '')
      .split('\n')
      .filter(Boolean)
      .map((line) => ({ timestamp: Date.parse(line.slice(0, 24)), message: line.slice(25) }));
  }

  #group(name: string): Group {
    let group = this.#groups.get(name);
    if (!group) {
      const path = join(this.#directory, `${encodeURIComponent(name)}.log`);
      group = { path, bytes: existsSync(path) ? statSync(path).size : 0, rest: '', lines: [] };
      this.#groups.set(name, group);
    }
    return group;
  }
}

/** Jobs on the disk, a file each: what was asked for, and then each state that it or one of its children came to. */
import { appendFileSync, mkdirSync, readdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { readJsonLines, writeDurably } from '../home.ts';
import { Job, type JobSpec, type JobState } from './job.ts';

interface Line {
  index?: number;
  state: JobState;
}

export class Journal {
  readonly #directory: string;

  constructor(home: string) {
    this.#directory = join(home, 'batch', 'jobs');
    mkdirSync(this.#directory, { recursive: true });
  }

  /** When this resolves it is on the disk. */
  create(spec: JobSpec): Promise<void> {
    return writeDurably(this.#path(spec.jobId), `${JSON.stringify(spec)}\n`);
  }

  /** Outlives this process, though not the machine: one that lost its power runs the attempt again. */
  note({ spec, index, state }: Job): void {
    const line: Line = { ...(index !== undefined && { index }), state };
    appendFileSync(this.#path(spec.jobId), `${JSON.stringify(line)}\n`);
  }

  forget({ spec }: Job): void {
    rmSync(this.#path(spec.jobId), { force: true });
  }

  /** The jobs as they were left, in the order in which they were submitted. */
  all(): Job[] {
    const names = readdirSync(this.#directory).filter((name) => name.endsWith('.jsonl'));
    return names.flatMap((name) => this.#read(join(this.#directory, name)) ?? []).sort((a, b) => a.spec.createdAt - b.spec.createdAt);
  }

  #read(path: string): Job | undefined {
    const [spec, ...lines] = readJsonLines<unknown>(path);
    if (!spec) return undefined;
    const job = new Job(spec as JobSpec);
    for (const { index, state } of lines as Line[]) (index === undefined ? job : job.children[index])?.restore(state);
    return job;
  }

  #path(id: string): string {
    return join(this.#directory, `${id}.jsonl`);
  }
}

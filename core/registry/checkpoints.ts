/** The checkpoints of a job's fits, in the model bucket. */
import { modelKeys } from '../keys.ts';
import type { Checkpoint } from '../models/checkpoint.ts';
import { needBytes, type ObjectStore } from '../object-store.ts';

/** What is made between two of them is lost with the machine, at most; and to keep it takes about a second. */
const usualSeconds = 60;

export class Checkpoints {
  private readonly models: ObjectStore;
  private readonly milliseconds: number;
  private readonly open = new Set<Checkpoint>();
  private notice: PromiseWithResolvers<void> | undefined;

  /** @param seconds between two checkpoints of a fit */
  constructor(models: ObjectStore, seconds = usualSeconds) {
    this.models = models;
    this.milliseconds = seconds * 1000;
  }

  /** @param work names the fit within the run, a part of it a folder: it must always be the same fit */
  of(run: string, work: string): Checkpoint {
    const { models, open, milliseconds } = this;
    let last = performance.now();
    let keys: string[] = [];
    let part = 0;
    const checkpoint: Checkpoint = {
      load: async () => {
        open.add(checkpoint);
        keys = [];
        for await (const { key } of models.list(modelKeys.checkpoints(run, work))) keys.push(key);
        part = Number(/(\d+)\.bin$/.exec(keys.at(-1) ?? '')?.[1] ?? -1) + 1;
        return Promise.all(keys.map((key) => needBytes(models, key)));
      },
      isDue: () => this.notice !== undefined || performance.now() - last >= milliseconds,
      append: async (pieces, instead) => {
        const key = modelKeys.checkpoint(run, work, part++);
        await models.put(key, pieces, { contentType: 'application/octet-stream' });
        // Whoever is interrupted in between leaves both, of which the last counts.
        if (instead) await Promise.all(keys.splice(0).map((former) => models.delete(former)));
        keys.push(key);
        last = performance.now();
        this.notice?.resolve();
      },
      close: () => void open.delete(checkpoint),
    };
    return checkpoint;
  }

  /** @param work a fit, or a trial of some: its result is there, and what was kept of it is of no more use */
  async remove(run: string, work: string): Promise<void> {
    for await (const { key } of this.models.list(modelKeys.checkpoints(run, work))) await this.models.delete(key);
  }

  /** The machine is about to be taken away: a fit that is under way keeps what it has. @returns when it has, at once where there is none */
  interrupt(): Promise<void> {
    this.notice ??= Promise.withResolvers();
    if (this.open.size === 0) this.notice.resolve();
    return this.notice.promise;
  }
}

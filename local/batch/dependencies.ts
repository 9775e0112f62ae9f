/** Which jobs wait for the end of which others. */
import type { Job } from './job.ts';

export class Dependencies {
  readonly #find: (jobId: string) => Job | undefined;
  /** Jobs that wait for one. */
  readonly #dependents = new Map<Job, Job[]>();

  constructor(find: (jobId: string) => Job | undefined) {
    this.#find = find;
  }

  /** Notes what a job waits for. @returns whether one of them has failed already */
  add(job: Job): boolean {
    const others = this.#of(job);
    if (others.some(({ state }) => state.status === 'FAILED')) return true;
    for (const other of others) {
      if (other.hasEnded) continue;
      job.waitsFor.add(other);
      const dependents = this.#dependents.get(other) ?? [];
      dependents.push(job);
      this.#dependents.set(other, dependents);
    }
    return false;
  }

  /** Those that no longer wait for a job that has ended, though perhaps for others. */
  release(job: Job): Job[] {
    const dependents = this.#dependents.get(job) ?? [];
    this.#dependents.delete(job);
    for (const other of dependents) other.waitsFor.delete(job);
    return dependents.filter((other) => !other.hasEnded);
  }

  /** `N_TO_N`: a child on the other array's child of its index. `SEQUENTIAL`: on the one before it. Else on the whole of the other. */
  #of({ spec, parent, index }: Job): Job[] {
    return spec.dependsOn.flatMap(({ jobId, type }) => {
      const other = jobId === undefined ? parent : this.#find(jobId);
      if (type === undefined || index === undefined) return other ?? [];
      return other?.children[type === 'SEQUENTIAL' ? index - 1 : index] ?? [];
    });
  }
}

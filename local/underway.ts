/** Work that is under way, for whoever has to wait for all of it before the end. */
export class Underway {
  readonly #works = new Set<Promise<unknown>>();

  async add<T>(work: Promise<T>): Promise<T> {
    this.#works.add(work);
    try {
      return await work;
    } finally {
      this.#works.delete(work);
    }
  }

  /** Resolves when none is left, whatever became of it. */
  async settled(): Promise<void> {
    while (this.#works.size > 0) await Promise.allSettled(this.#works);
  }
}

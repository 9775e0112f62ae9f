/** What `npm start` shows: lines, and below them, on a terminal, one live line for each thing under way. */

const barWidth = 24;
const frameMs = 100;

/** `progress` is 0 to 1. */
export function bar(progress: number): string {
  const full = Math.round(Math.min(1, Math.max(0, progress)) * barWidth);
  return `${'█'.repeat(full)}${'░'.repeat(barWidth - full)} ${String(Math.round(progress * 100)).padStart(3)} %`;
}

/** An estimate is not told to the second where it is of minutes. */
export function about(seconds: number): string {
  return seconds < 90 ? `about ${Math.ceil(seconds)} s` : `about ${Math.round(seconds / 60)} min`;
}

export class Terminal {
  readonly #out: NodeJS.WriteStream;
  readonly #live = new Map<string, string>();
  #drawn = 0;
  #timer: NodeJS.Timeout | undefined;

  constructor(out: NodeJS.WriteStream = process.stdout) {
    this.#out = out;
  }

  line(text = ''): void {
    this.#erase();
    this.#out.write(`${text}\n`);
    this.#draw();
  }

  /**
   * Shows how far something is. Where there is no terminal, a line is printed only if `step`, the part that a reader would miss,
   * is new.
   */
  live(id: string, step: string, text: string): void {
    const before = this.#live.get(id);
    this.#live.set(id, this.#out.isTTY ? text : step);
    if (!this.#out.isTTY) {
      if (before !== step) this.#out.write(`${text}\n`);
      return;
    }
    this.#timer ??= setTimeout(() => {
      this.#timer = undefined;
      this.#erase();
      this.#draw();
    }, frameMs).unref();
  }

  /** The thing is done: its live line goes, and this stays. */
  done(id: string, text: string): void {
    this.#erase();
    this.#live.delete(id);
    this.#out.write(`${text}\n`);
    this.#draw();
  }

  close(): void {
    clearTimeout(this.#timer);
    this.#erase();
    this.#live.clear();
  }

  #erase(): void {
    if (this.#drawn > 0) this.#out.write(`\u001b[${this.#drawn}A\u001b[0J`);
    this.#drawn = 0;
  }

  #draw(): void {
    if (!this.#out.isTTY) return;
    for (const text of this.#live.values()) this.#out.write(`${text.slice(0, (this.#out.columns || 80) - 1)}\n`);
    this.#drawn = this.#live.size;
  }
}

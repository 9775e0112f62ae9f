/** `rejects.csv`: every row that could not be read, where it stands and why. */
import { createWriteStream, type WriteStream } from 'node:fs';
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { finished, pipeline } from 'node:stream/promises';
import { formatRecord, type Reject } from './csv-records.ts';
import { lineBatches } from './text-file.ts';

/** Collects rejects file by file, so that a file can be read again from its start, and joins them in the end. */
export class Rejects {
  private readonly files = new Map<string, { path: string; output: WriteStream; reasons: Map<string, number> }>();
  private readonly directory: string;
  private next = 0;

  constructor(directory: string) {
    this.directory = directory;
  }

  /** @param column the name or number of the column where it goes wrong */
  add(file: string, column: string, { line, reason, row }: Reject): void {
    const { output, reasons } = this.files.get(file) ?? this.restart(file);
    reasons.set(reason, (reasons.get(reason) ?? 0) + 1);
    output.write(`${JSON.stringify([String(line), column, reason, row])}\n`);
  }

  /** Forgets what was rejected of a file. */
  restart(file: string) {
    // What it has not written yet it need not write any more, and its complaint about that is nobody's business.
    this.files
      .get(file)
      ?.output.on('error', () => {})
      .destroy();
    const path = join(this.directory, `rejects-${this.next++}`);
    const entry = { path, output: createWriteStream(path), reasons: new Map<string, number>() };
    this.files.set(file, entry);
    return entry;
  }

  countOf(file: string): number {
    return [...(this.files.get(file)?.reasons.values() ?? [])].reduce((sum, count) => sum + count, 0);
  }

  /** Nothing is added any more. @returns how many rows each reason cost, in the order of the reasons' names */
  async close(): Promise<[reason: string, count: number][]> {
    const total = new Map<string, number>();
    for (const { output, reasons } of this.files.values()) {
      output.end();
      await finished(output);
      for (const [reason, count] of reasons) total.set(reason, (total.get(reason) ?? 0) + count);
    }
    return [...total].sort(([a], [b]) => (a < b ? -1 : 1));
  }

  /** Writes the file, once all are closed. @param discreet takes out of a file's row what nobody should read in a report */
  write(path: string, discreet: (file: string, row: string) => string): Promise<void> {
    return pipeline(this.lines(discreet), createWriteStream(path));
  }

  private async *lines(discreet: (file: string, row: string) => string): AsyncGenerator<string> {
    yield 'file,line,column,reason,row\n';
    for (const [file, { path }] of this.files) {
      const lineOf = (text: Buffer) => {
        const [line, column, reason, row] = JSON.parse(text.toString('utf8')) as [string, string, string, string];
        // With a NUL inside, the row would be as unreadable here.
        return `${formatRecord([file, line, column, reason, discreet(file, row)].map((field) => field.replaceAll('\0', '\ufffd')))}\n`;
      };
      for await (const batch of lineBatches(path, 'utf-8')) yield batch.map(lineOf).join('');
      await rm(path);
    }
  }
}

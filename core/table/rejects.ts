/** `rejects.csv`: every row that could not be read, where it stands and why. */
import { createReadStream, createWriteStream, type WriteStream } from 'node:fs';
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { finished, pipeline } from 'node:stream/promises';
import { formatRecord, type Reject } from './csv-records.ts';

/** Collects rejects file by file, so that a file can be read again from its start, and joins them in the end. */
export class Rejects {
  private readonly files = new Map<string, { path: string; output: WriteStream; reasons: Map<string, number> }>();
  private readonly directory: string;
  private readonly mask: (row: string) => string;
  private next = 0;

  /** @param mask takes out of a row what nobody should read in a report */
  constructor(directory: string, mask: (row: string) => string = (row) => row) {
    this.directory = directory;
    this.mask = mask;
  }

  /** @param column the name or number of the column where it goes wrong */
  add(file: string, column: string, reject: Reject): void {
    const { output, reasons } = this.files.get(file) ?? this.restart(file);
    reasons.set(reject.reason, (reasons.get(reject.reason) ?? 0) + 1);
    const fields = [file, String(reject.line), column, reject.reason, this.mask(reject.row)];
    // With a NUL inside, the row would be as unreadable here.
    output.write(`${formatRecord(fields.map((field) => field.replaceAll('\0', '\ufffd')))}\n`);
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

  /** Writes the file. @returns how many rows each reason cost, in the order of the reasons' names */
  async write(path: string): Promise<[reason: string, count: number][]> {
    const output = createWriteStream(path);
    output.write('file,line,column,reason,row\n');
    const total = new Map<string, number>();
    for (const file of this.files.values()) {
      file.output.end();
      await finished(file.output);
      await pipeline(createReadStream(file.path), output, { end: false });
      await rm(file.path);
      for (const [reason, count] of file.reasons) total.set(reason, (total.get(reason) ?? 0) + count);
    }
    output.end();
    await finished(output);
    return [...total].sort(([a], [b]) => (a < b ? -1 : 1));
  }
}

import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { clean, isBalanced } from './cleaning.ts';

/** Cells that are words, so that what is written is what is to be read: no missing tokens, numbers or booleans. */
const cell = fc
  .string({ minLength: 1, maxLength: 6, unit: fc.constantFrom('x', 'é', '"', "'", ',', ';', '|', '\t', '\n', '\r\n', ' ', '😀') })
  .map((text) => `w${text}w`);
const dialect = fc.record({
  delimiter: fc.constantFrom(',', ';', '\t', '|'),
  lineEnds: fc.array(fc.constantFrom('\n', '\r\n', '\r'), { minLength: 1, maxLength: 3 }),
  quoteAll: fc.boolean(),
  mark: fc.boolean(),
  endsWithLineEnd: fc.boolean(),
  encoding: fc.constantFrom('utf8' as const, 'utf16le' as const),
});
const table = fc
  .integer({ min: 3, max: 5 })
  .chain((width) => fc.array(fc.tuple(...Array.from({ length: width }, () => cell)), { minLength: 2, maxLength: 12 }));

type Dialect = typeof dialect extends fc.Arbitrary<infer T> ? T : never;

function write(rows: string[][], { delimiter, lineEnds, quoteAll, mark, endsWithLineEnd, encoding }: Dialect): Buffer {
  const lines = rows.map((row) => {
    const cells = row.map((text) =>
      quoteAll || text.includes(delimiter) || /["\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text,
    );
    return cells.join(delimiter);
  });
  const ended = lines.map((line, index) =>
    index < lines.length - 1 || endsWithLineEnd ? line + lineEnds[index % lineEnds.length]! : line,
  );
  return Buffer.from((mark || encoding === 'utf16le' ? '\uFEFF' : '') + ended.join(''), encoding);
}

/** Large files are scanned, small ones are read by SQL; here both read small ones. */
const scanFrom = fc.constantFrom(undefined, 0);

const tidy = (text: string) => text.trim().replace(/\s+/g, ' ');

/** Nothing is merged, dropped or ignored in a table that has a column to tell rows apart and a label. */
const framed = (rows: string[][]) => [
  ['n', ...rows[0]!.map((_, index) => `c${index}`), 'label'],
  ...rows.map((row, index) => [`${(index * 37) % 101}.5`, ...row, index % 2 ? 'odd' : 'even']),
];

describe('nothing vanishes uncounted', () => {
  it('any table in any dialect reads back as it was written', { timeout: 300_000 }, async () => {
    await fc.assert(
      fc.asyncProperty(table, dialect, scanFrom, async (rows, how, from) => {
        const written = framed(rows);
        const columns = Object.fromEntries(
          written[0]!.slice(1, -1).map((name) => [name, { role: 'feature' as const, type: 'category' as const }]),
        );
        const spec = { columns, delimiter: how.delimiter, header: true };
        const { rows: read, report } = await clean({ 'a.csv': write(written, how) }, spec, 2, from);
        expect(report.rows).toEqual({ read: rows.length, kept: rows.length, rejected: 0, duplicates: 0, missingTarget: 0 });
        const used = report.columns.filter(({ role }) => role !== 'ignored').map(({ name }) => written[0]!.indexOf(name));
        // Spellings that differ by case or space are one; 'w' and 'W' do not occur, so tidying is all that happens.
        expect(read.map((row) => row.map(String))).toEqual(written.slice(1).map((row) => used.map((index) => tidy(row[index]!))));
      }),
      { numRuns: 60 },
    );
  });

  it('random damage never breaks the accounting, and the rest of the file is read', { timeout: 300_000 }, async () => {
    const damage = fc.record({
      at: fc.double({ min: 0, max: 1, noNaN: true }),
      bytes: fc.constantFrom('"', '\0', '\n', '\r', ',', '', '""', 'é', '\u00ff', '\u00ef\u00bb\u00bf'),
    });
    await fc.assert(
      fc.asyncProperty(
        table,
        dialect,
        fc.array(damage, { minLength: 1, maxLength: 4 }),
        fc.integer({ min: 0, max: 3 }),
        scanFrom,
        async (rows, how, damages, cut, from) => {
          let bytes = write(framed([...rows, ...rows]), { ...how, encoding: 'utf8' });
          for (const { at, bytes: inserted } of damages) {
            const place = Math.floor(at * bytes.length);
            bytes = Buffer.concat([bytes.subarray(0, place), Buffer.from(inserted, 'latin1'), bytes.subarray(place + cut)]);
          }
          const spec = { delimiter: how.delimiter, header: true };
          const result = await clean({ 'a.csv': bytes }, spec, 2, from).catch((error: unknown) => error);
          if (result instanceof Error) {
            expect(result).toMatchObject({
              code: expect.stringMatching(/^(EmptyDataset|UnusableTarget|NoFeatures|UnreadableDataset)$/),
              fix: expect.any(String),
            });
            return;
          }
          const { report, rows: kept, rejects } = result as Awaited<ReturnType<typeof clean>>;
          expect(isBalanced(report)).toBe(true);
          expect(kept.length).toBe(report.rows.kept);
          // Every line of the file is in a row that was read, in a reject, blank, or the header.
          const lines = bytes
            .toString('utf8')
            .split(/\r\n|\n|\r/)
            .filter((line) => line.trim() !== '').length;
          expect(report.rows.read).toBeLessThanOrEqual(lines);
          expect(
            (await clean({ 'rejects.csv': rejects }, { target: 'reason', header: true }).catch(() => undefined))?.report.rows.read ??
              report.rows.rejected,
          ).toBe(report.rows.rejected);
        },
      ),
      { numRuns: 80 },
    );
  });
});

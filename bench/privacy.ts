/**
 * The detectors of personal data on seeded columns and texts, hard negatives among them: recall and false alarms, against scrubadub. The cases
 * are made by Faker and python-stdnum (privacy.cases.py), which know nothing of our patterns. A rival that does not know a kind misses it:
 * `details` tells of each kind by itself.
 */
import { execFileSync } from 'node:child_process';
import { mkdirSync, readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { machine, type Result, runSide } from './alternate.ts';
import { bench, benchPython, rivalEnvironment } from './python.ts';
import { quality, tell } from './quality.ts';

export interface Cases {
  columns: { kind: string | null; name: string; values: string[] }[];
  texts: { kind: string | null; text: string }[];
}

export default async function privacy(): Promise<Result> {
  mkdirSync(resolve(bench, '.data'), { recursive: true });
  const file = resolve(bench, '.data/privacy.json');
  execFileSync(benchPython(), [resolve(bench, 'privacy.cases.py'), file], { env: rivalEnvironment() });
  const { columns, texts } = JSON.parse(readFileSync(file, 'utf8')) as Cases;
  const judge = async (side: string) => {
    const { seconds, found, masked } = (await runSide(side, [file])) as unknown as { seconds: number; found: boolean[]; masked: boolean[] };
    return { seconds, columns: quality(columns, found), texts: quality(texts, masked) };
  };
  const [ours, rival] = [await judge('privacy.ours.ts'), await judge('privacy.rival.py')];
  tell('columns', ours.columns, rival.columns);
  tell('texts', ours.texts, rival.texts);
  return {
    bench: 'privacy',
    ratio: ours.columns.recall / rival.columns.recall,
    ours: ours.columns.recall,
    rival: rival.columns.recall,
    unit: 'recall of columns',
    same_work: [ours.columns, ours.texts].every(({ recall, falseAlarms }) => recall >= 0.95 && falseAlarms <= 0.02),
    details: { ours, rival },
    machine: machine(),
  };
}

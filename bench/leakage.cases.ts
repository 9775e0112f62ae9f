/** Seeded tables with a column that gives the target away, and without; among those the hardest that are honest. */
import { Random } from '../core/random.ts';

export interface Case {
  /** What the leak is, or null. */
  kind: string | null;
  /** For the honest ones: what makes them hard. */
  about: string;
  csv: string;
}

type Column = { name: string; cells: string[] };

class Draw extends Random {
  normal(): number {
    return Math.sqrt(-2 * Math.log(1 - this.uniform())) * Math.cos(2 * Math.PI * this.uniform());
  }
  pick<T>(items: readonly T[]): T {
    return items[this.below(items.length)]!;
  }
}

interface Base {
  rows: number;
  /** Class of each row, or its amount. */
  y: number[];
  classes: string[] | undefined;
  columns: Column[];
}

/** A table with honest columns: some that tell something, some that tell nothing, some with holes. */
function base(draw: Draw, task: 'two' | 'more' | 'amount'): Base {
  const rows = draw.pick([150, 300, 800, 2500]);
  const hidden = Array.from({ length: 3 }, () => Array.from({ length: rows }, () => draw.normal()));
  const signal = hidden[0]!.map((value, i) => value + 0.8 * hidden[1]![i]! + 0.5 * hidden[2]![i]! + 0.5 * draw.normal());
  const cuts = task === 'two' ? [draw.pick([0, 0.5, 1.2])] : [-1, 0.6];
  const y =
    task === 'amount'
      ? signal.map((value) => Math.round(1e5 * Math.exp(value / 2)) / 100)
      : signal.map((value) => cuts.filter((cut) => value > cut).length);
  const classes =
    task === 'amount'
      ? undefined
      : task === 'two'
        ? draw.pick([
            ['no', 'yes'],
            ['0', '1'],
            ['stays', 'leaves'],
          ])
        : ['low', 'middle', 'high'];
  const columns = Array.from({ length: 4 + draw.below(8) }, (_, column): Column => {
    const source = draw.pick(hidden);
    const noise = draw.pick([0.3, 1, 3]);
    const values = source.map((value) => value + noise * draw.normal());
    const form = draw.below(4);
    const cells = values.map((value) =>
      form === 0
        ? String(Math.round(50 + 10 * value))
        : form === 1
          ? ['north', 'south', 'east', 'west'][Math.max(0, Math.min(3, Math.floor(value + 2)))]!
          : form === 2 && draw.uniform() < 0.1
            ? ''
            : value.toFixed(3),
    );
    return { name: `f${column}`, cells };
  });
  return { rows, y, classes, columns };
}

type Maker = (base: Base, draw: Draw) => string[];

const words = ['amber', 'birch', 'cedar', 'delta', 'ember', 'fjord'];
const flip = (y: number, classes: number, draw: Draw, share: number) => (draw.uniform() < share ? (y + 1) % classes : y);

const classLeaks: Record<string, Maker> = {
  'copy as numbers': ({ y }) => y.map((label) => String(label + 1)),
  'copy in other words': ({ y }) => y.map((label) => words[label]!),
  'copy, a third missing': ({ y }, draw) => y.map((label) => (draw.uniform() < 0.33 ? '' : words[label]!)),
  'copy, 1 in 200 wrong': ({ y, classes }, draw) => y.map((label) => words[flip(label, classes!.length, draw, 0.005)]!),
  'states within classes': ({ y }, draw) => y.map((label) => `${words[label]}-${draw.below(4)}`),
  'amount only afterwards': ({ y, classes }, draw) =>
    y.map((label) => (flip(label, classes!.length, draw, 0.004) === 1 ? (10 + 90 * draw.uniform()).toFixed(2) : label === 2 ? '-5' : '')),
  'days since': ({ y, classes }, draw) =>
    y.map((label) => (flip(label, classes!.length, draw, 0.003) === 1 ? String(1 + draw.below(60)) : label === 2 ? '-1' : '0')),
  'score from the answer': ({ y }, draw) => y.map((label) => (label + 0.5 + 0.16 * draw.normal()).toFixed(4)),
  'month of the event': ({ y }, draw) => y.map((label) => (label === 0 ? 'none' : `2024-${label}-${1 + draw.below(9)}`)),
};
const amountLeaks: Record<string, Maker> = {
  copy: ({ y }) => y.map(String),
  'other unit': ({ y }) => y.map((value) => (value * 0.9134).toFixed(4)),
  logarithm: ({ y }) => y.map((value) => Math.log1p(value).toFixed(6)),
  negative: ({ y }) => y.map((value) => (1000 - value).toFixed(2)),
  rank: ({ y }) => {
    const order = [...y].sort((a, b) => a - b);
    return y.map((value) => String(order.indexOf(value)));
  },
  rounded: ({ y }) => y.map((value) => value.toPrecision(3)),
  'a third missing': ({ y }, draw) => y.map((value) => (draw.uniform() < 0.33 ? '' : (value * 1.19).toFixed(2))),
  'with noise': ({ y }, draw) => y.map((value) => (value * (1 + 0.004 * draw.normal())).toFixed(2)),
  'distance from the middle': ({ y }) => {
    const middle = [...y].sort((a, b) => a - b)[y.length >> 1]!;
    return y.map((value) => (value < middle ? 90 * middle - value : value).toFixed(2));
  },
};

/** Honest columns that come near. */
const honest: Record<string, (base: Base, draw: Draw) => Column[]> = {
  'nothing hard': () => [],
  'one strong number': ({ y }, draw) => [{ name: 'strong', cells: y.map((label) => (label + 0.34 * draw.normal()).toFixed(4)) }],
  'two strong numbers': ({ y }, draw) =>
    ['s1', 's2'].map((name) => ({ name, cells: y.map((label) => (label + 0.3 * draw.normal()).toFixed(4)) })),
  'a strong category': ({ y, classes }, draw) => [
    { name: 'strong', cells: y.map((label) => words[flip(label, classes!.length, draw, 0.04)]!) },
  ],
  'a sure sign of a few': ({ y }, draw) => [
    { name: 'sign', cells: y.map((label) => (label === 1 && draw.uniform() < 0.2 ? 'seen' : 'not')) },
  ],
  'a key': ({ rows }, draw) => [{ name: 'customer', cells: Array.from({ length: rows }, () => String(1e6 + draw.below(9e6))) }],
  'a category of many values': ({ rows }, draw) => [
    { name: 'shop', cells: Array.from({ length: rows }, () => `shop ${draw.below(rows / 5)}`) },
  ],
  'a column twice': ({ columns }) => [{ name: 'again', cells: columns[0]!.cells }],
  'many good numbers': ({ y }, draw) =>
    Array.from({ length: 12 }, (_, i) => ({ name: `g${i}`, cells: y.map((label) => (label + 0.22 * draw.normal()).toFixed(4)) })),
};
const honestAmounts: Record<string, (base: Base, draw: Draw) => Column[]> = {
  'nothing hard': () => [],
  'a strong number': ({ y }, draw) => [{ name: 'strong', cells: y.map((value) => (value * Math.exp(0.12 * draw.normal())).toFixed(2)) }],
  'a band of it': ({ y }, draw) => [
    {
      name: 'band',
      cells: y.map((value) => ['small', 'medium', 'large'][Math.min(2, Math.floor((value * Math.exp(0.2 * draw.normal())) / 900))]!),
    },
  ],
  'a part of it': ({ y }, draw) => [{ name: 'part', cells: y.map((value) => (value * (0.7 + 0.3 * draw.uniform())).toFixed(2)) }],
};

const table = ({ y, classes, columns }: Base): string => {
  const all = [...columns, { name: 'target', cells: y.map((value) => classes?.[value] ?? String(value)) }];
  return [all.map(({ name }) => name).join(','), ...y.map((_, row) => all.map(({ cells }) => cells[row]!).join(','))].join('\n');
};

/** @param times how many tables of each sort */
export function leakageCases(seed: number, times: number): Case[] {
  const draw = new Draw(seed);
  const cases: Case[] = [];
  for (let time = 0; time < times; time++) {
    for (const task of ['two', 'more', 'amount'] as const) {
      for (const [kind, maker] of Object.entries(task === 'amount' ? amountLeaks : classLeaks)) {
        const made = base(draw, task);
        made.columns.splice(draw.below(made.columns.length + 1), 0, { name: 'leak', cells: maker(made, draw) });
        cases.push({ kind, about: task, csv: table(made) });
      }
      for (const [about, maker] of Object.entries(task === 'amount' ? honestAmounts : honest)) {
        const made = base(draw, task);
        made.columns.push(...maker(made, draw));
        cases.push({ kind: null, about: `${about} (${task})`, csv: table(made) });
      }
    }
  }
  return cases;
}

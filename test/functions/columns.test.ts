/** A file with columns of every kind, from upload to answer. */
import { expect, test } from 'vitest';
import { modelKeys } from '../../core/keys.ts';
import { getJson } from '../../core/object-store.ts';
import { Random } from '../../core/random.ts';
import type { ModelCard } from '../../core/registry/card.ts';
import { getRun } from '../../core/registry/runs.ts';
import { familyNames } from '../../core/spec.ts';
import { Laboratory } from './laboratory.ts';

/** Sales that follow from the month, the weekday, the shop and the price. */
function madeSales(rows: number): string {
  const random = new Random(21);
  const words = () => Array.from({ length: 2 }, () => `thing${random.below(500)}`).join(' ');
  const effect = Array.from({ length: 120 }, () => random.uniform() * 10);
  const lines = Array.from({ length: rows }, () => {
    const date = new Date(Date.UTC(2022, 0, 1 + random.below(900), random.below(24), random.below(60)));
    const day = date.toISOString().slice(0, 10).replaceAll('-', '');
    const shop = random.below(120);
    const ticket = 5_000_000_000 + random.below(2 ** 20);
    const isGood = random.below(2) === 1;
    const review = ['The', words(), isGood ? 'was great,' : 'was Terrible;', words(), 'and', words()].join(' ');
    const price = Math.fround(random.uniform() * 4);
    const sold =
      (date.getUTCMonth() > 9 ? 10 : 0) +
      (date.getUTCDay() % 6 === 0 ? 5 : 0) +
      effect[shop]! -
      price +
      (isGood ? 8 : 0) +
      random.uniform();
    return [date.toISOString(), random.below(9) ? day : '', `Shop ${shop}`, price, ticket, `"${review}"`, sold.toFixed(3)].join();
  });
  return `sold_at,day,shop,price,ticket,review,sold\n${lines.join('\n')}\n`;
}

test('dates, texts, large numbers and categories of many values are learned from, and a request writes them as the file does', async () => {
  const lab = new Laboratory();
  const grids = { forest: { nEstimators: [30], maxDepth: [null], minSamplesSplit: [2] }, boosting: { nEstimators: [100] } };
  await lab.rawData.put('raw/sales/dataset.json', JSON.stringify({ families: familyNames, folds: 3, grids }));
  await lab.prepare(await lab.upload('raw/sales/sales.csv', madeSales(2000)));
  await lab.runAll();
  expect(await getRun(lab.rawModels, lab.queue, lab.queue.records[0]!.run)).toMatchObject({ status: 'SUCCEEDED' });
  const card = (await getJson<ModelCard>(lab.rawModels, modelKeys.card('sales', 1)))!;
  expect(card.inputs).toEqual([
    { name: 'sold_at', type: 'date' },
    { name: 'day', type: 'date' },
    { name: 'shop', type: 'category' },
    { name: 'price', type: 'number' },
    { name: 'ticket', type: 'number' },
    { name: 'review', type: 'text' },
  ]);
  // What is left is noise of a uniform number: of a variance of some forty it is a twelfth of one.
  expect(card.heldOut.scores.r2).toBeGreaterThan(0.85);
  expect(card.score).toBeGreaterThan(0.85);

  const asked = await lab.ask('GET', '/v2/models/sales');
  expect(JSON.parse(asked.body).inputs.map(({ datatype }: { datatype: string }) => datatype)).toEqual([
    'BYTES',
    'BYTES',
    'BYTES',
    'FP32',
    'FP64',
    'BYTES',
  ]);

  const value = async (row: object) => {
    const answer = await lab.ask('POST', '/models/sales/predict', { rows: [row] });
    return (JSON.parse(answer.body) as { predictions: [{ value: number }] }).predictions[0].value;
  };
  const row = {
    sold_at: '2023-12-03T10:00:00.000Z',
    day: 20231203,
    shop: 'Shop 7',
    price: 1,
    ticket: 5_000_000_001,
    review: 'It was great, really',
  };
  const sold = await value(row);
  expect(await value({ ...row, day: '20231203', sold_at: '2023-12-03 10:00' })).toBe(sold);
  expect(await value({ ...row, sold_at: '2023-06-07T10:00:00.000Z', day: 20230607 })).toBeLessThan(sold - 5);
  expect(await value({ ...row, review: 'Terrible. Really terrible.' })).toBeLessThan(sold - 4);
  expect(await value({ ...row, shop: 'none' })).not.toBe(sold);
  expect(await value({ sold_at: null, day: null, shop: null, price: null, ticket: null, review: null })).toEqual(expect.any(Number));
  const csv = await lab.ask(
    'POST',
    '/models/sales/predict',
    'ticket,review,price,shop,day,sold_at\n5000000001,"It was great, really",1,Shop 7,20231203,2023-12-03T10:00:00Z\n',
    {
      'content-type': 'text/csv',
    },
  );
  expect(JSON.parse(csv.body)).toMatchObject({ predictions: [{ value: sold }] });
});

test('amounts as people write them are numbers, in the file, in requests and as the target', async () => {
  const lab = new Laboratory();
  const random = new Random(5);
  const euros = (cents: number) => `${new Intl.NumberFormat('de-DE', { minimumFractionDigits: 2 }).format(cents / 100)} €`;
  const inShort = (sales: number) => {
    const [size, unit] = sales >= 1e6 ? [1e6, ' Mio.'] : sales >= 1000 ? [1000, ' Tsd.'] : [1, ''];
    return `${String(sales / size).replace('.', ',')}${unit} €`;
  };
  const lines = Array.from({ length: 400 }, () => {
    const [price, weight, sales] = [random.below(500_000), random.below(100), 1000 * random.below(900)];
    const kind = ['Wärmepumpe', 'Kessel'][random.below(2)]!;
    return [euros(price), `${weight / 10} kg`.replace('.', ','), inShort(sales), kind, euros(2 * price + weight * 10_000 + sales)].join(
      ';',
    );
  });
  await lab.rawData.put('raw/geld/dataset.json', JSON.stringify({ families: ['linear'], search: 'grid' }));
  await lab.prepare(await lab.upload('raw/geld/geld.csv', `Preis;Gewicht;Umsatz;Art;Summe\n${lines.join('\n')}\n`));
  await lab.runAll();
  expect(await getRun(lab.rawModels, lab.queue, lab.queue.records[0]!.run)).toMatchObject({ status: 'SUCCEEDED' });
  const asked = await lab.ask('GET', '/v2/models/geld');
  expect(JSON.parse(asked.body).inputs.map(({ datatype }: { datatype: string }) => datatype)).toEqual(['BYTES', 'BYTES', 'BYTES', 'BYTES']);
  const answers = async (body: unknown, headers?: Record<string, string>) =>
    JSON.parse((await lab.ask('POST', '/models/geld/predict', body, headers)).body);
  const rows = [
    { Preis: '1.234,50 €', Gewicht: '2,5 kg', Umsatz: '0,5 Mio. €', Art: 'Kessel' },
    { Preis: 1234.5, Gewicht: 2.5, Umsatz: 500_000, Art: 'Kessel' },
    { Preis: ' 1234,5', Gewicht: '2,50', Umsatz: '500 Tsd.€', Art: 'Kessel' },
    { Preis: null, Gewicht: 'n/a', Umsatz: '', Art: 'Kessel' },
  ];
  const { predictions } = await answers({ rows });
  expect(predictions[0].value).toBeCloseTo(2 * 1234.5 + 2500 + 5000, -1);
  expect(predictions[1]).toEqual(predictions[0]);
  expect(predictions[2]).toEqual(predictions[0]);
  expect(predictions[3].value).toEqual(expect.any(Number));
  const csv = await answers('Gewicht;Art;Preis;Umsatz\n2,5 kg;Kessel;1.234,50 €;500.000 €\n', { 'content-type': 'text/csv' });
  expect(csv.predictions).toEqual([predictions[0]]);
  expect(await answers({ rows: [{ ...rows[0], Preis: '1234.5' }] })).toMatchObject({
    error: {
      code: 'InvalidRow',
      where: 'rows[0].Preis',
      fix: 'Send a number as it is written in the training file, like 1.234,5€, or null where it is missing.',
    },
  });
});

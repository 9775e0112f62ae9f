import { createHmac } from 'node:crypto';
import fc from 'fast-check';
import { describe, expect, it, test } from 'vitest';
import { isIban } from '../../core/table/detect/account.ts';
import { luhn, mod11and10, verhoeff } from '../../core/table/detect/check-digits.ts';
import { wordsOf } from '../../core/table/detect/column-sample.ts';
import { kindOf, mask } from '../../core/table/detect/personal.ts';
import { clean, column } from './cleaning.ts';

/** Customers of a shop: 60 of them, two orders each. */
const customers = Array.from({ length: 120 }, (_, i) => {
  const person = i % 60;
  const name = ['Anna', 'Bernd', 'Chloe', 'David', 'Elena'][person % 5];
  return {
    email: `${name}.${person}@example.org`,
    age: String(20 + ((person * 7) % 50)),
    note: person % 10 === 3 ? `call +49 30 90182${100 + person} after five` : ['new', 'regular', 'late'][person % 3]!,
    bought: (i * 13) % 7 < 3 ? 'yes' : 'no',
  };
});
const csv = (rows: Record<string, string>[]) =>
  [Object.keys(rows[0]!), ...rows.map((row) => Object.values(row))].map((line) => line.join(',')).join('\n');
const text = csv(customers);

/** A Dutch one: nine digits that its test by 11 passes, the last weighing −1. */
function nationalId(place: number): string {
  const digits = Array.from(String(10_000_000 + 7919 * place), Number);
  const rest = digits.reduce((sum, digit, i) => sum + (9 - i) * digit, 0) % 11;
  return rest < 10 ? digits.join('') + rest : nationalId(place + 500);
}

describe('personal data in an uploaded table', () => {
  it('are left out, and masked inside longer text', async () => {
    const { report, names, rows } = await clean({ 'shop.csv': text }, { duplicates: 'keep' });
    expect(names).toEqual(['age', 'note', 'bought']);
    expect(column(report, 'email')).toMatchObject({
      role: 'ignored',
      why: 'it holds personal data (email)',
      personal: { kinds: ['email'], cells: report.rows.kept, of: report.rows.kept, treatment: 'dropped' },
    });
    const masked = customers.filter(({ note }) => note.startsWith('call')).length;
    expect(column(report, 'note')).toMatchObject({ role: 'feature', personal: { kinds: ['phone'], cells: masked, treatment: 'masked' } });
    expect(rows.filter(([, note]) => note === 'call [phone] after five')).toHaveLength(masked);
    expect(report.changes).toContainEqual({ column: 'email', reason: 'column left out: it holds personal data (email)', count: 120 });
    expect(JSON.stringify(report)).not.toMatch(/@|90182/);
  });

  it('are hashed by the secret, to join by but not to learn from', async () => {
    const { report, names, rows } = await clean({ 'shop.csv': text }, { pii: { policy: 'hash' } });
    expect(names).toEqual(['email', 'age', 'note', 'bought']);
    const hash = createHmac('sha256', 'secret').update(customers[0]!.email).digest('hex');
    expect(rows[0]![0]).toBe(hash);
    expect(rows[60]![0]).toBe(hash);
    expect(column(report, 'email')).toMatchObject({ role: 'ignored', personal: { treatment: 'hashed' } });
    expect(JSON.stringify(report)).not.toMatch(/@|90182/);
  });

  it('are hashed where each row has a value of its own, too', async () => {
    const own = customers.map((row, i) => ({ ...row, email: `someone${i}@example.org` }));
    const { names, rows } = await clean({ 'shop.csv': csv(own) }, { pii: { columns: { email: 'hash' } } });
    expect(names).toContain('email');
    expect(rows.map((row) => row[names.indexOf('email')])).toEqual(
      own.map(({ email }) => createHmac('sha256', 'secret').update(email).digest('hex')),
    );
  });

  it('are hashed in the column that groups rows, whatever the policy: what rows are split by stays in the table', async () => {
    const { report, names, rows } = await clean({ 'shop.csv': text }, { groups: 'email', duplicates: 'keep' });
    expect(names).toEqual(['email', 'age', 'note', 'bought']);
    expect(rows.map(([email]) => email)).toEqual(customers.map(({ email }) => createHmac('sha256', 'secret').update(email).digest('hex')));
    expect(column(report, 'email')).toMatchObject({ role: 'ignored', personal: { treatment: 'hashed' } });
    expect(JSON.stringify(report)).not.toMatch(/@|90182/);
  });

  it('are looked for in tables that are split by a column', async () => {
    const ordered = csv(customers.map((row, i) => ({ at: `2026-01-01T00:${String(i % 60).padStart(2, '0')}`, shop: `s${i % 9}`, ...row })));
    for (const spec of [{ time: 'at' }, { groups: 'shop' }]) {
      const { report, names } = await clean({ 'shop.csv': ordered }, { ...spec, duplicates: 'keep' });
      expect(names).toEqual(['at', 'shop', 'age', 'note', 'bought']);
      expect(column(report, Object.values(spec)[0]!)).toMatchObject({
        role: 'ignored',
        why: expect.stringContaining('rows are split by it'),
      });
    }
  });

  it('are kept where the policy says so', async () => {
    const { report, names } = await clean({ 'shop.csv': text }, { pii: { policy: 'keep' } });
    expect(names).toEqual(['email', 'age', 'note', 'bought']);
    expect(column(report, 'email')).toMatchObject({ role: 'feature', personal: { treatment: 'kept' } });
  });

  it('are whatever else dataset.json says', async () => {
    const { report, names } = await clean({ 'shop.csv': text }, { pii: { policy: 'keep', columns: { age: 'drop' } } });
    expect(names).not.toContain('age');
    expect(column(report, 'age').personal).toMatchObject({ kinds: ['declared'], treatment: 'dropped' });
    await expect(clean({ 'shop.csv': text }, { pii: { columns: { agee: 'drop' } } })).rejects.toMatchObject({
      code: 'InvalidSpec',
      where: 'dataset.json, field pii.columns.agee',
    });
  });

  it('do not stand in rejects.csv', async () => {
    const files = {
      'shop.csv': `${text}\nme@example.org,1,2,3,4,5,6\n${customers[0]!.email},\0,"late, again",no\n`,
      'more.jsonl': '{"email":"me@example.org"\n{"bought":"no"}\n',
    };
    const { rejects, report } = await clean(files, { pii: { columns: { age: 'hash' } } });
    expect(report.rows.rejected).toBe(3);
    expect(rejects).toBe(
      [
        'file,line,column,reason,row',
        'shop.csv,122,5,too many fields,[declared] [email]',
        'shop.csv,123,age,NUL byte,"[email],[declared],""late, again"",no"',
        'more.jsonl,1,1,not JSON,[declared] [email]\n',
      ].join('\n'),
    );
    const ignored = await clean(
      { 'shop.csv': `${csv(customers.map(({ email, ...row }) => ({ name: 'Anna Ott', ...row })))}\nAnna Ott,30\n` },
      {
        columns: { name: { role: 'ignore' } },
        pii: { policy: 'hash' },
      },
    );
    expect(ignored.names).not.toContain('name');
    expect(column(ignored.report, 'name')).toMatchObject({
      role: 'ignored',
      why: 'dataset.json says so',
      personal: { treatment: 'dropped' },
    });
    expect(ignored.rejects).toContain('too few fields,[person name]');
    const others = customers.map(({ age, bought }) => ({ age, bought }));
    const { rejects: inOthers } = await clean({ 'shop.csv': `${csv(others)}\n30,no,+1-713-476-1825,4257548020418174,me@example.org\n` });
    expect(inOthers).toContain('"30,no,[phone],[card],[email]"');
  });

  it('do not stand among the samples of what is no number', async () => {
    const strays = customers.map((row, i) => (i % 60 === 7 ? { ...row, age: row.email } : row));
    const { report } = await clean({ 'shop.csv': csv(strays) }, { duplicates: 'keep' });
    expect(report.changes).toContainEqual({ column: 'age', reason: 'not a number → missing ("[email]")', count: 2 });
    expect(JSON.stringify(report)).not.toContain('@');
    const { report: kept } = await clean({ 'shop.csv': csv(strays) }, { duplicates: 'keep', pii: { policy: 'keep' } });
    expect(kept.changes).toContainEqual({ column: 'age', reason: `not a number → missing ("${customers[7]!.email}")`, count: 2 });
  });

  it('are found in what else would be numbers, or be left out as a key', async () => {
    const dialled = customers.map(({ age, bought }, i) => ({ reach: `+1415555${1000 + i}`, age, id: nationalId(i), bought }));
    const { report, names } = await clean({ 'shop.csv': csv(dialled) });
    expect(names).toEqual(['age', 'bought']);
    expect(column(report, 'reach')).toMatchObject({ role: 'ignored', personal: { kinds: ['phone'], treatment: 'dropped' } });
    expect(column(report, 'id')).toMatchObject({ type: 'number', role: 'ignored', personal: { kinds: ['national id'] } });
    expect(column(report, 'id')).not.toHaveProperty('distinct');
    const hashed = await clean({ 'shop.csv': csv(dialled) }, { pii: { policy: 'hash' } });
    expect(hashed.names).toEqual(['age', 'bought', 'reach', 'id']);
    expect(hashed.rows[3]![3]).toBe(createHmac('sha256', 'secret').update(nationalId(3)).digest('hex'));
  });

  it('are hashed beside numbers that no integer is as large as', async () => {
    const far = customers.map(({ age, bought }, i) => ({ age, far: i === 5 ? '1e300' : String(7_000_000 + 13 * (i % 50)), bought }));
    expect(column((await clean({ 'shop.csv': csv(far) })).report, 'far')).toMatchObject({ type: 'number', role: 'feature' });
    const { names, rows } = await clean({ 'shop.csv': csv(far) }, { pii: { columns: { far: 'hash' } } });
    const values = rows.map((row) => row[names.indexOf('far')]);
    expect(values.slice(4, 6)).toEqual(['7000052', '1e+300'].map((value) => createHmac('sha256', 'secret').update(value).digest('hex')));
  });

  it('are found in numbers, whose median need not be one of them', async () => {
    const cards = ['3530111333300000', '4111111111111111'];
    const paid = customers.map(({ age, bought }, i) => ({ age, card: cards[i % 2]!, bought }));
    const { report, names } = await clean({ 'shop.csv': csv(paid) }, { duplicates: 'keep' });
    expect(names).toEqual(['age', 'bought']);
    expect(column(report, 'card')).toMatchObject({ type: 'number', personal: { kinds: ['card'], treatment: 'dropped' } });
  });

  it('leave nothing to learn from where all columns hold them', async () => {
    const only = customers.map(({ email, bought }) => ({ email, bought }));
    await expect(clean({ 'shop.csv': csv(only) })).rejects.toMatchObject({ code: 'NoFeatures', fix: expect.stringContaining('pii') });
  });
});

test.each([
  ['email', 'contact', ['joe@example.com', 'Anna Ott <anna@ott.de>']],
  ['phone', 'x', ['+49 30 901820', '(415) 555-2671', '06 12 34 56 78', '0171 1234567']],
  ['phone', 'phoneNumber', ['4155552671', '4155552672']],
  ['card', 'x', ['4111 1111 1111 1111', '5500005555555559', '378282246310005', '6011111111111117', '3530111333300000', '30569309025904']],
  ['account', 'x', ['GB82 WEST 1234 5698 7654 32', 'DE89370400440532013000', 'NL91ABNA0417164300']],
  ['account', 'Routing', ['111000025', '021000021']],
  ['national id', 'SSN', ['078-05-1120', '219099999']],
  ['national id', 'NINo', ['QQ123456C', 'AB123456C']],
  ['national id', 'steuer_id', ['86095742719']],
  ['national id', 'nir', ['255081416802538']],
  ['national id', 'dni', ['12345678Z', 'X1234567L']],
  ['national id', 'CodiceFiscale', ['RSSMRA85T10A562S']],
  ['national id', 'bsn', ['111222333']],
  ['national id', 'cpf', ['111.444.777-35']],
  ['national id', 'aadhaar', ['2341 2341 2346']],
  ['person name', 'Nachname', ['von der Leyen', 'Müller-Lüdenscheidt', "O'Neill"]],
  ['person name', 'Name', ['Braund, Mr. Owen Harris', 'Heikkinen, Miss. Laina', 'Maria Silva']],
  ['ip address', 'source', ['192.168.0.1', '10.200.3.4', '2001:db8::1']],
  [undefined, 'order', Array.from({ length: 40 }, (_, i) => String(4_000_000_000_000_000 + i * 7_919_131))],
  [undefined, 'zip', ['10115', '94103', '75001']],
  [undefined, 'isbn', ['0-306-40615-2', '978-3-16-148410-0']],
  [undefined, 'date', ['2024-01-31', '01.02.2024', '01/02/24']],
  [undefined, 'version', ['1.2.3.4', '10.20.300.4']],
  [undefined, 'name', ['Berlin', 'San Francisco', 'Paris', 'Lyon', 'New York', 'Nairobi', 'Tokyo']],
  [undefined, 'company_name', ['Anna Bakery', 'David Peters', 'Maria Holding']],
  [undefined, 'phone_price', ['1200000', '1400000']],
])('the kind %s of a column "%s"', (kind, name, values) => {
  expect(kindOf({ words: wordsOf(name), values, isNumber: false })).toBe(kind);
});

test('text keeps all that is nobody’s', () => {
  const text =
    'on 2024-01-02 for 12.50 or 1,234,567.89 at 52.5200, 13.4050; ISBN 978-3-16-148410-0, order 1234567890123456, 10:30-11:45, v1.22.333';
  expect(mask(text)).toBe(text);
  expect(mask('joe@example.com, 4111 1111 1111 1111, 078-05-1120 and GB82 WEST 1234 5698 7654 32')).toBe(
    '[email], [card], [national id] and [account]',
  );
});

test('one wrong digit is noticed', () => {
  const other = (text: string, place: number, by: number) =>
    text.slice(0, place) + ((Number(text[place]) + by) % 10) + text.slice(place + 1);
  fc.assert(
    fc.property(fc.nat(15), fc.integer({ min: 1, max: 9 }), (place, by) => {
      expect(luhn(other('4111111111111111', place, by))).toBe(false);
      expect(verhoeff(other('234123412346', place % 12, by))).toBe(false);
      expect(mod11and10(other('86095742719', place % 11, by))).toBe(false);
      expect(isIban(other('DE89370400440532013000', 2 + place, by))).toBe(false);
    }),
  );
});

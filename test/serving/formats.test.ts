import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { IngotError } from '../../core/errors.ts';
import { parseCsv } from '../../core/serving/formats/csv.ts';
import { answerInfer, describeModel, parseInfer } from '../../core/serving/formats/infer.ts';
import { answerInputData, parseInputData } from '../../core/serving/formats/input-data.ts';
import { answerInvocation, parseInvocation } from '../../core/serving/formats/invocations.ts';
import { parseNdjson } from '../../core/serving/formats/ndjson.ts';
import { parseRows } from '../../core/serving/formats/rows.ts';
import { mediaType, parsePredict } from '../../core/serving/formats.ts';
import { parseJsonBody, type RawRows } from '../../core/serving/rows.ts';
import { columns, serve } from './model.ts';

const predictor = await serve();
const { schema } = predictor;

/** Two rows as every format must read them: a whole one, and one with all missing. */
const expected: RawRows = {
  rows: 2,
  columns: [Float32Array.of(33.5, Number.NaN), Float32Array.of(2, Number.NaN), ['female', ''], ['true', '']],
};

function refusal(parse: () => unknown): Partial<IngotError> {
  try {
    parse();
  } catch (error) {
    if (error instanceof IngotError) return { code: error.code, message: error.message, where: error.where, fix: error.fix };
    throw error;
  }
  throw new Error('nothing was refused');
}

describe('JSON rows', () => {
  const row = '{"age": 33.5, "__proto__": "2", "sex": "female", "toString": true}';
  const missing = '{"toString": "", "sex": null, "__proto__": "", "age": " n/a ", "constructor": 1, "the answer": "yes"}';

  test('values in any order, numbers and numeric text, null and missing tokens; ignored columns and the target are passed over', () => {
    expect(parseRows(parseJsonBody(`{"rows": [${row}, ${missing}]}`), schema)).toEqual(expected);
    expect(parseRows(parseJsonBody(`[${row},\n${missing}]`), schema)).toEqual(expected);
  });

  test.each([
    ['-9', Number.NaN],
    ['> 90', Number.NaN],
    ['NaN', Number.NaN],
    ['?', Number.NaN],
    ['1e3', 1000],
    [' +.5 ', 0.5],
    ['-Infinity', Number.NaN],
    ['inf', Number.NaN],
    [' NULL ', Number.NaN],
    [1e300, Infinity],
  ])('%j in a number column is %d', (age, value) => {
    const rows = parseRows({ rows: [JSON.parse(row.replace('33.5', JSON.stringify(age)))] }, schema);
    expect(rows.columns[0]).toEqual(Float32Array.of(value));
  });

  test.each([
    ['a missing field', { age: 1 }, 'rows[1]', "The row lacks the column '__proto__'."],
    ['an unknown field', { ...JSON.parse(row), agee: 1 }, 'rows[1].agee', "The model has no column 'agee'."],
    [
      'text for a number',
      { ...JSON.parse(row), age: '33 years' },
      'rows[1].age',
      "The column 'age' takes a number, or null where it is missing, but got text.",
    ],
    ['hexadecimal text for a number', { ...JSON.parse(row), age: '0x10' }, 'rows[1].age', /got text/],
    ['a boolean for a number', { ...JSON.parse(row), age: true }, 'rows[1].age', /takes a number.*got boolean/],
    ['an object for a number', { ...JSON.parse(row), age: {} }, 'rows[1].age', /got an object/],
    ['a list for text', { ...JSON.parse(row), sex: ['male'] }, 'rows[1].sex', /takes text.*got a list/],
    ['a list for a row', [1, 2], 'rows[1]', /A row is an object/],
    ['null for a row', null, 'rows[1]', /A row is an object/],
  ])('%s is refused with its place and a mend', (_, bad, where, message) => {
    const found = refusal(() => parseRows({ rows: [JSON.parse(row), bad] }, schema));
    expect(found).toMatchObject({
      code: 'InvalidRow',
      where,
      message: typeof message === 'string' ? message : expect.stringMatching(message),
    });
    expect(found.fix).toBeTruthy();
    expect(refusal(() => parseRows([JSON.parse(row), bad], schema))).toEqual({ ...found, where: where.replace('rows', '') });
  });

  test.each([
    ['{"rows": []}', 'body'],
    ['{"rows": {}}', 'rows'],
    ['{}', 'rows'],
    ['[]', 'body'],
    ['null', 'rows'],
    ['{"rows": [\n{"age": 1,}]}', 'body, line 2, column 11'],
    ['{"rows": [\n{"age": NaN}]}', 'body, line 2, column 9'],
    ['', 'body, line 1, column 1'],
  ])('%j is no request', (body, where) => {
    expect(refusal(() => parsePredict('application/json', body, schema))).toMatchObject({ code: 'InvalidRequest', where });
  });
});

test('a category that was learned from JSON takes values as they stood in its lines, others take text', async () => {
  const tags = { name: 'tags', type: 'category', cells: ['["a","b"]', '{"id":1}', 'true', null] } as const;
  const written = { name: 'written', type: 'category', cells: ["['a']", '[1, 2]', '[1]', '{'] } as const;
  const { schema } = await serve({}, [{ ...tags, cells: [...tags.cells] }, { ...written, cells: [...written.cells] }, ...columns]);
  const rest = { age: 1, ['__proto__']: 1, sex: null, toString: null, written: '[1]' };
  const sent = [['a', 'b'], { id: 1 }, true, null, 'x'].map((tags) => ({ ...rest, tags }));
  expect(parseRows({ rows: sent }, schema).columns[0]).toEqual(['["a","b"]', '{"id":1}', 'true', '', 'x']);
  expect(refusal(() => parseRows({ rows: [{ ...sent[0], written: [1] }] }, schema))).toMatchObject({ where: 'rows[0].written' });
});

test('categories that are not UTF-8 are refused, unless the training file has such', async () => {
  const latin1 = Buffer.from('age,__proto__,sex,toString\n1,2,m\xe4nnlich,true\n', 'latin1').toString();
  expect(refusal(() => parseCsv(latin1, schema))).toMatchObject({
    code: 'InvalidRow',
    where: 'line 2, column sex',
    fix: expect.stringMatching(/UTF-8/),
  });
  expect(refusal(() => parseCsv(latin1.replace('sex', 's\uFFFDx'), schema))).toMatchObject({ fix: expect.stringMatching(/UTF-8/) });
  const asTrained = await serve({}, [{ name: 'sex', type: 'category', cells: ['m\uFFFDnnlich', 'weiblich', null, null] }]);
  expect(parseCsv('sex\nm\uFFFDnnlich\n', asTrained.schema).columns[0]).toEqual(['m\uFFFDnnlich']);
  const ignored = await serve({ ignored: ['note'] });
  expect(parseCsv('note,age,__proto__,sex,toString\n\uFFFD,1,2,x,true', ignored.schema).rows).toBe(1);
});

test('what Python writes for missing numbers is told from other mistakes', () => {
  for (const text of ['{"rows": [{"age": NaN}]}', '{"rows": [{"age": -Infinity}]}'])
    expect(refusal(() => parseJsonBody(text)).message).toMatch(/not valid JSON: (NaN|-Infinity), where JSON has null/);
  expect(refusal(() => parseNdjson('{"age": NaN}', schema)).message).toBe('Line 1 is not valid JSON: NaN, where JSON has null.');
});

describe('input_data', () => {
  test('lists in column order in, probabilities or the value out', async () => {
    const rows = parseInputData(
      {
        input_data: [
          [33.5, 2, 'female', true],
          [null, '', null, ''],
        ],
      },
      schema,
    );
    expect(rows).toEqual(expected);
    const { output_data: answers } = answerInputData(predictor.run(rows));
    expect(answers).toEqual(predictor.predict(rows).map((answer) => 'probabilities' in answer && Object.values(answer.probabilities)));
    const regressor = await serve({ task: 'regression' });
    expect(answerInputData(regressor.run(rows))).toEqual({ output_data: answers.map(([, yes]) => [yes]) });
  });

  test('a row of another length and a value of another type are refused with their places', () => {
    expect(refusal(() => parseInputData({ input_data: [[1, 2, 'x']] }, schema))).toMatchObject({
      code: 'InvalidRow',
      where: 'input_data[0]',
    });
    expect(refusal(() => parseInputData({ input_data: [[1, {}, 'x', true]] }, schema))).toMatchObject({ where: 'input_data[0][1]' });
    expect(refusal(() => parseInputData({ input_data: [1] }, schema))).toMatchObject({ code: 'InvalidRow', where: 'input_data[0]' });
    expect(refusal(() => parseInputData({ input_data: 'x' }, schema))).toMatchObject({ code: 'InvalidRequest', where: 'input_data' });
  });
});

describe('CSV', () => {
  test.each([
    ['commas, CRLF and quotes', 'age,__proto__,sex,toString\r\n33.5,2,"female",true\r\n,NA,,\r\n'],
    ['semicolons and a byte order mark', '\uFEFFage;__proto__;sex;toString\n33.5;2;female;true\n;;;'],
    ['tabs, blank lines, and other order', '\n"sex"\tage\ttoString\t__proto__\nfemale\t33.5\ttrue\t2\n\n\t\t\t\n'],
    ['pipes', 'age|__proto__|sex|toString\n33.5|2|female|true\n|||\n'],
    ['colons', 'age:__proto__:sex:toString\n33.5:2:female:true\n:::\n'],
    ['spaces', 'age __proto__ sex toString\n33.5 2 female true\n   \n'],
    ['columns that are passed over', 'id,age,__proto__,sex,toString,the answer\n7,33.5,2,female,true,yes\n8,,,,,'],
  ])('%s', (_, text) => {
    expect(parseCsv(text, schema)).toEqual(expected);
  });

  test('names left out and names repeated are read as cleaning named them', async () => {
    const { schema } = await serve({ ignored: ['column1', 'AGE_2', 'sex_2'] });
    const text = ',age,AGE,__proto__,sex,toString, sex\n1,33.5,7,2,female,true,x\n2,,8,,,,y\n';
    expect(parseCsv(text, schema)).toEqual(expected);
    expect(parseCsv(text, schema, { header: 'auto' })).toEqual(expected);
    expect(parseCsv(',,,\n', schema, { header: 'auto' }).rows).toBe(1);
    expect(refusal(() => parseCsv(text.replace(',age', 'age,'), schema))).toMatchObject({ where: 'line 1, column ' });
  });

  test('without a header a pipe or a space belongs to the value', () => {
    expect(parseCsv('1,2,a|b|c|d|e f g h,true', schema, { header: 'auto' }).columns[2]).toEqual(['a|b|c|d|e f g h']);
  });

  test('a quoted value holds delimiters, quotes and line ends, and lines are counted on', () => {
    const text = 'age,__proto__,sex,toString\n1,2,"a, ""b""\r\nc",true\nold,2,x,true';
    expect(parseCsv(text.replace('old', '9'), schema).columns[2]).toEqual(['a, "b"\r\nc', 'x']);
    expect(refusal(() => parseCsv(text, schema))).toMatchObject({ code: 'InvalidRow', where: 'line 4, column age' });
  });

  test.each([
    ['a name that the model has not', 'age,__proto__,sex,toString,x\n', 'InvalidRow', 'line 1, column x'],
    ['a name that is not there', 'age,sex,toString\n1,x,true', 'InvalidRow', 'line 1'],
    ['a name twice', 'age,age,__proto__,sex,toString\n1,1,2,x,true', 'InvalidRow', 'line 1, column age'],
    ['a short line', 'age,__proto__,sex,toString\n1,2,x,true\n1,2,x', 'InvalidRow', 'line 3'],
    ['an open quote', 'age,__proto__,sex,toString\n1,2,"x,true', 'InvalidRequest', 'line 2, value 3'],
    ['text after a quote', 'age,__proto__,sex,toString\n1,2,"x"y,true', 'InvalidRequest', 'line 2, value 3'],
    ['a header alone', 'age,__proto__,sex,toString', 'InvalidRequest', 'body'],
    ['nothing', '', 'InvalidRequest', 'body'],
  ])('%s is refused', (_, text, code, where) => {
    expect(refusal(() => parseCsv(text, schema))).toMatchObject({ code, where });
  });

  test('any text is read back from its quoted form', () => {
    fc.assert(
      fc.property(
        fc.array(
          fc.string({ unit: 'binary' }).filter((text) => !text.includes('\uFFFD')),
          { minLength: 1 },
        ),
        fc.constantFrom(',', ';', '\t'),
        (texts, delimiter) => {
          const lines = texts.map((text) => [1, 2, `"${text.replaceAll('"', '""')}"`, 'true'].join(delimiter));
          const header = ['age', '__proto__', 'sex', 'toString'].join(delimiter);
          expect(parseCsv([header, ...lines].join('\n'), schema).columns[2]).toEqual(texts);
        },
      ),
    );
  });
});

test('NDJSON: an object a line, errors by line', () => {
  const row = '{"age": 33.5, "__proto__": 2, "sex": "female", "toString": true}';
  expect(parseNdjson(`${row}\r\n\n{"age": null, "__proto__": null, "sex": null, "toString": null}\n`, schema)).toEqual(expected);
  expect(refusal(() => parseNdjson(`${row}\n{`, schema))).toMatchObject({ code: 'InvalidRequest', where: 'line 2' });
  expect(refusal(() => parseNdjson(`${row}\n\n${row.replace('33.5', '"old"')}`, schema))).toMatchObject({ where: 'line 3, column age' });
  expect(refusal(() => parseNdjson(`${row}\n{}`, schema))).toMatchObject({ code: 'InvalidRow', where: 'line 2' });
  expect(refusal(() => parseNdjson('\n', schema))).toMatchObject({ code: 'InvalidRequest' });
});

describe('Open Inference Protocol', () => {
  const inputs = [
    { name: 'sex', shape: [2, 1], datatype: 'BYTES', data: [['female'], [null]] },
    { name: 'age', shape: [2], datatype: 'FP32', data: [33.5, null] },
    { name: 'toString', shape: [2], datatype: 'BOOL', data: [true, null] },
    { name: '__proto__', shape: [2, 1], datatype: 'INT64', data: [2, null] },
  ];

  test('a tensor a column, in any order', () => {
    const request = parseInfer({ id: 'a', inputs }, schema);
    expect(request).toEqual({ rows: expected, id: 'a', outputs: undefined });
    expect(answerInfer(predictor.run(request.rows), predictor.labels, predictor.card, 3, request)).toEqual({
      model_name: 'tiny',
      model_version: '3',
      id: 'a',
      outputs: [
        {
          name: 'label',
          datatype: 'BYTES',
          shape: [2],
          data: predictor.predict(expected).map((answer) => 'label' in answer && answer.label),
        },
        { name: 'probabilities', datatype: 'FP32', shape: [2, 2], data: [...answerInputData(predictor.run(expected)).output_data.flat()] },
      ],
    });
  });

  test('one tensor for all columns', () => {
    const data = [33.5, 2, 'female', true, null, null, null, null];
    expect(parseInfer({ inputs: [{ name: 'input', shape: [2, 4], datatype: 'BYTES', data }] }, schema).rows).toEqual(expected);
    expect(refusal(() => parseInfer({ inputs: [{ name: 'input', shape: [2, 3], datatype: 'FP32', data: [] }] }, schema))).toMatchObject({
      code: 'InvalidRow',
      where: 'inputs[0].shape',
    });
  });

  test('only the outputs that are asked for', () => {
    const request = parseInfer({ inputs, outputs: [{ name: 'probabilities' }] }, schema);
    const answer = () => answerInfer(predictor.run(request.rows), predictor.labels, predictor.card, 3, request);
    expect(answer().outputs.map(({ name }) => name)).toEqual(['probabilities']);
    request.outputs = ['score'];
    expect(refusal(answer)).toMatchObject({
      code: 'InvalidRequest',
      where: 'outputs[0].name',
      fix: 'The outputs are label, probabilities.',
    });
  });

  test.each([
    ['no inputs', {}, 'InvalidRequest', 'inputs'],
    ['no tensors', { inputs: [] }, 'InvalidRequest', 'body'],
    ['a datatype that is none', { inputs: [{ ...inputs[0], datatype: 'INT4' }] }, 'InvalidRequest', 'inputs.0.datatype'],
    ['a column that the model has not', { inputs: [{ ...inputs[0], name: 'x' }] }, 'InvalidRow', 'inputs[0].name'],
    ['a column that is not there', { inputs: inputs.slice(1) }, 'InvalidRow', 'inputs'],
    ['data that are fewer than the shape says', { inputs: [{ ...inputs[1], data: [1] }] }, 'InvalidRequest', 'inputs[0].data'],
    ['shapes that differ', { inputs: [inputs[0], { ...inputs[1], shape: [1], data: [1] }] }, 'InvalidRequest', 'inputs[1].shape'],
    ['a value of another type', { inputs: [{ ...inputs[1], data: ['old', 1] }] }, 'InvalidRow', 'inputs[0].data[0], column age'],
  ])('%s is refused', (_, body, code, where) => {
    expect(refusal(() => parseInfer(body, schema))).toMatchObject({ code, where });
  });

  test('the model describes itself', () => {
    expect(describeModel(predictor.card, [1, 2])).toEqual({
      name: 'tiny',
      versions: ['1', '2'],
      platform: 'onnx_onnxruntime',
      inputs: [
        { name: 'age', datatype: 'FP32', shape: [-1, 1] },
        { name: '__proto__', datatype: 'FP32', shape: [-1, 1] },
        { name: 'sex', datatype: 'BYTES', shape: [-1, 1] },
        { name: 'toString', datatype: 'BOOL', shape: [-1, 1] },
      ],
      outputs: [
        { name: 'label', datatype: 'BYTES', shape: [-1] },
        { name: 'probabilities', datatype: 'FP32', shape: [-1, 2] },
      ],
    });
  });
});

describe('invocations', () => {
  const list = [
    [33.5, 2, 'female', true],
    [null, null, null, null],
  ];
  const names = ['age', '__proto__', 'sex', 'toString'];
  const records = list.map((values) => Object.fromEntries(names.map((name, i) => [name, values[i]])));

  test.each([
    [
      'dataframe_split',
      {
        dataframe_split: {
          index: [0, 1],
          columns: ['sex', 'age', '__proto__', 'toString'],
          data: [
            ['female', 33.5, 2, true],
            [null, null, null, null],
          ],
        },
      },
    ],
    ['dataframe_records', { dataframe_records: records }],
    ['instances of lists', { instances: list }],
    ['instances of objects', { instances: records }],
    ['inputs of lists', { inputs: list }],
    ['inputs by column', { inputs: Object.fromEntries(names.map((name, i) => [name, list.map((values) => values[i])])) }],
  ])('%s', (_, body) => {
    expect(parseInvocation('application/json', JSON.stringify(body), schema)).toEqual(expected);
  });

  test('CSV as SageMaker sends it, without a header, and with one', () => {
    expect(parseInvocation('text/csv', '33.5,2,female,true\n,,,\n', schema)).toEqual(expected);
    expect(parseInvocation('text/csv', `${names.join()}\n33.5,2,female,true\n,,,\n`, schema)).toEqual(expected);
    expect(refusal(() => parseInvocation('text/csv', '33.5,2,female\n', schema))).toMatchObject({ code: 'InvalidRow', where: 'line 1' });
  });

  test('answers are labels or values, in the request’s format', () => {
    const predictions = [{ label: 'a,b', probabilities: {} }, { value: 1.5 }];
    expect(answerInvocation('text/csv', predictions)).toEqual({ contentType: 'text/csv', body: '"a,b"\n1.5\n' });
    expect(answerInvocation('application/json', predictions)).toEqual({
      contentType: 'application/json',
      body: '{"predictions":["a,b",1.5]}',
    });
  });

  test.each([
    [{}, 'InvalidRequest', 'body'],
    [{ instances: 1 }, 'InvalidRequest', 'instances'],
    [{ instances: [] }, 'InvalidRequest', 'body'],
    [{ dataframe_split: [] }, 'InvalidRequest', 'dataframe_split.data'],
    [{ dataframe_split: { columns: ['age'], data: [[1, 2]] } }, 'InvalidRow', 'dataframe_split.data[0]'],
    [{ dataframe_split: { columns: ['age', 'x'], data: [[1, 2]] } }, 'InvalidRow', 'dataframe_split.data[0]'],
    [{ inputs: { age: [1, 2], sex: 'x' } }, 'InvalidRequest', 'inputs.sex'],
  ])('%j is refused', (body, code, where) => {
    expect(refusal(() => parseInvocation('application/json', JSON.stringify(body), schema))).toMatchObject({ code, where });
  });
});

test('the Content-Type chooses the format', () => {
  expect(mediaType('Text/CSV; charset=utf-8')).toBe('text/csv');
  expect(mediaType(undefined)).toBe('application/json');
  expect(refusal(() => parsePredict('image/png', '', schema))).toMatchObject({ code: 'UnsupportedMediaType' });
  expect(refusal(() => parsePredict('toString', '', schema))).toMatchObject({ code: 'UnsupportedMediaType' });
  expect(refusal(() => parseInvocation('image/png', '', schema))).toMatchObject({ code: 'UnsupportedMediaType' });
});

test('whatever the body, the answer is rows or an error in the user’s words', () => {
  const text = fc.oneof(
    fc.string(),
    fc.json(),
    fc.json().map((value) => `{"rows":[${value}],"input_data":[${value}],"inputs":[${value}],"instances":[${value}]}`),
  );
  const parsers: ((body: string) => unknown)[] = [
    ...['application/json', 'text/csv', 'application/x-ndjson'].map((type) => (body: string) => parsePredict(type, body, schema)),
    ...['application/json', 'text/csv'].map((type) => (body: string) => parseInvocation(type, body, schema)),
    (body) => parseInfer(parseJsonBody(body), schema),
    (body) => parseInputData(parseJsonBody(body), schema),
  ];
  fc.assert(
    fc.property(text, fc.constantFrom(...parsers), (body, parse) => {
      try {
        parse(body);
      } catch (error) {
        expect(error).toBeInstanceOf(IngotError);
        expect((error as IngotError).status).toBeLessThan(500);
      }
    }),
    { numRuns: 1000 },
  );
});

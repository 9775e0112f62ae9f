/**
 * Open Inference Protocol v2 (https://kserve.github.io/website/docs/concepts/architecture/data-plane/v2-protocol): a tensor a column,
 * [N] or [N, 1], named as the column; or one tensor [N, columns] in column order.
 */
import * as z from 'zod/mini';
import type { Answered } from '../../answers/answers.ts';
import { IngotError } from '../../errors.ts';
import type { ModelCard } from '../../onnx/card.ts';
import type { outputNames } from '../../onnx/outputs.ts';
import type { RawRows, RowSchema } from '../rows.ts';
import type { Label } from '../session.ts';

const numberTypes = ['FP16', 'FP32', 'FP64', 'INT8', 'INT16', 'INT32', 'INT64', 'UINT8', 'UINT16', 'UINT32', 'UINT64'] as const;

const requestSchema = z.object({
  id: z.optional(z.string()),
  inputs: z.array(
    z.object({
      name: z.string(),
      shape: z.array(z.int().check(z.minimum(0))),
      datatype: z.enum([...numberTypes, 'BOOL', 'BYTES']),
      data: z.array(z.unknown()),
    }),
  ),
  outputs: z.optional(z.array(z.object({ name: z.string() }))),
});

export interface InferRequest {
  rows: RawRows;
  id: string | undefined;
  /** The outputs that are asked for; all where there is no list. */
  outputs: string[] | undefined;
}

interface InferTensor {
  name: string;
  datatype: 'FP32' | 'INT64' | 'BOOL' | 'BYTES';
  shape: number[];
  data: Label[] | number[];
}

export interface InferAnswer {
  model_name: string;
  model_version: string;
  id?: string;
  outputs: InferTensor[];
}

/** @throws IngotError InvalidRequest, InvalidRow (`where` as "inputs[2].data[0], column age") */
export function parseInfer(body: unknown, schema: RowSchema): InferRequest {
  const parsed = requestSchema.safeParse(body);
  if (!parsed.success) {
    const issue = parsed.error.issues[0]!;
    throw new IngotError('InvalidRequest', 'The body is not a request of the Open Inference Protocol v2.', {
      where: issue.path.join('.') || 'body',
      fix: 'Send {"inputs": [{"name", "shape", "datatype", "data"}, …]}.',
    });
  }
  const { id, inputs, outputs } = parsed.data;
  const rows = inputs.length === 1 && isMatrix(inputs[0]!, schema) ? readMatrix(inputs[0]!, schema) : readColumns(inputs, schema);
  return { rows, id, outputs: outputs?.map(({ name }) => name) };
}

type Input = z.infer<typeof requestSchema>['inputs'][number];

function isMatrix({ name, shape }: Input, schema: RowSchema): boolean {
  return shape.length === 2 && (shape[1] !== 1 || (schema.columns.length === 1 && !schema.places.has(name)));
}

function readMatrix(input: Input, schema: RowSchema): RawRows {
  const width = schema.columns.length;
  if (input.shape[1] !== width) throw schema.wrongLength(input.shape[1]!, 'inputs[0].shape');
  const rows = schema.allocate(input.shape[0]!);
  const data = flat(input, 0);
  for (let i = 0; i < data.length; i++) {
    const place = i % width;
    schema.put(rows, Math.floor(i / width), place, data[i], () => `inputs[0].data[${i}], column ${schema.columns[place]!.name}`);
  }
  return rows;
}

function readColumns(inputs: readonly Input[], schema: RowSchema): RawRows {
  const rows = schema.allocate(inputs[0]?.shape[0] ?? 0);
  const seen = new Set<number>();
  inputs.forEach((input, at) => {
    const { name, shape } = input;
    const place = schema.places.get(name);
    if (place === undefined) throw schema.unknownField(name, `inputs[${at}].name`);
    if (shape[0] !== rows.rows || shape.length > 2 || (shape[1] ?? 1) !== 1) {
      throw new IngotError('InvalidRequest', `The tensor '${name}' has the shape [${shape.join(', ')}].`, {
        where: `inputs[${at}].shape`,
        fix: `Give every column the same shape, [${rows.rows}] or [${rows.rows}, 1].`,
      });
    }
    const data = flat(input, at);
    if (place < 0) return;
    seen.add(place);
    for (let row = 0; row < data.length; row++) schema.put(rows, row, place, data[row], () => `inputs[${at}].data[${row}], column ${name}`);
  });
  schema.columns.forEach((_, place) => {
    if (!seen.has(place)) throw schema.missingField(place, 'inputs');
  });
  return rows;
}

/** The tensor's values in row-major order; nested lists are allowed by the protocol. */
function flat({ name, shape, data }: Input, at: number): unknown[] {
  const values = data.flat(Infinity);
  const size = shape.reduce((product, dim) => product * dim, 1);
  if (values.length === size) return values;
  throw new IngotError('InvalidRequest', `The tensor '${name}' has ${values.length} values where its shape says ${size}.`, {
    where: `inputs[${at}].data`,
    fix: 'Make shape and data agree.',
  });
}

/** @throws IngotError InvalidRequest where an output is asked for that the model has not */
export function answerInfer(
  answered: Answered,
  labels: readonly Label[],
  card: ModelCard,
  version: string | number,
  { id, outputs }: Pick<InferRequest, 'id' | 'outputs'>,
): InferAnswer {
  const all = outputTensors(answered, labels, card);
  const chosen = outputs?.map((name, i) => {
    const tensor = all.find((output) => output.name === name);
    if (tensor !== undefined) return tensor;
    throw new IngotError('InvalidRequest', `The model has no output '${name}'.`, {
      where: `outputs[${i}].name`,
      fix: `The outputs are ${all.map((output) => output.name).join(', ')}.`,
    });
  });
  return { model_name: card.model, model_version: String(version), ...(id !== undefined && { id }), outputs: chosen ?? all };
}

function outputTensors(answered: Answered, labels: readonly Label[], card: ModelCard): InferTensor[] {
  const data = numbersByName(answered, labels);
  return outputsOf(card).map(({ name, datatype, width }) => {
    const values = data[name]!;
    return { name, datatype, shape: width === undefined ? [values.length] : [values.length / width, width], data: values };
  });
}

function numbersByName(answered: Answered, labels: readonly Label[]): Partial<Record<string, InferTensor['data']>> {
  if (answered.task === 'regression') return { value: Array.from(answered.values), interval: Array.from(answered.interval ?? []) };
  return {
    label: Array.from(answered.labels, (label) => labels[label]!),
    probabilities: Array.from(answered.probabilities),
    set: Array.from(answered.set ?? [], (has) => has === 1),
  };
}

/** The outputs of a model, as the protocol names their types; without a width they are of one dimension. */
function outputsOf(card: ModelCard): { name: keyof typeof outputNames; datatype: InferTensor['datatype']; width?: number }[] {
  const honest = card.coverage !== undefined;
  if (card.task === 'regression') {
    return [{ name: 'value', datatype: 'FP32', width: 1 }, ...(honest ? [{ name: 'interval', datatype: 'FP32', width: 2 } as const] : [])];
  }
  const width = card.classes!.length;
  return [
    { name: 'label', datatype: labelType(card) },
    { name: 'probabilities', datatype: 'FP32', width },
    ...(honest ? [{ name: 'set', datatype: 'BOOL', width } as const] : []),
  ];
}

function labelType({ classType }: ModelCard): InferTensor['datatype'] {
  return classType === 'integer' ? 'INT64' : classType === 'boolean' ? 'BOOL' : 'BYTES';
}

/** `GET /v2/models/{m}`: what to send and what comes back; -1 is any number of rows. */
export function describeModel(card: ModelCard, versions: readonly (string | number)[]): object {
  const datatypes = { number: 'FP32', boolean: 'BOOL', category: 'BYTES', date: 'BYTES', text: 'BYTES' } as const;
  return {
    name: card.model,
    versions: versions.map(String),
    platform: 'onnx_onnxruntime',
    inputs: card.columns.map(({ name, type, wide, written }) => ({
      name,
      datatype: written ? 'BYTES' : wide ? 'FP64' : datatypes[type],
      shape: [-1, 1],
    })),
    outputs: outputsOf(card).map(({ name, datatype, width }) => ({ name, datatype, shape: width === undefined ? [-1] : [-1, width] })),
  };
}

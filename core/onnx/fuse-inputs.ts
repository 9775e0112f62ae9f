/**
 * Serving's own form of a graph: all the numbers of a row in one input. To hand a tensor to onnxruntime costs about a microsecond, so that
 * a row of thirty columns spends more on its inputs than on a forest, and one of a thousand a hundred times that. The registered graph keeps
 * its inputs by name; this form is made in memory when a model is loaded.
 */
import { type Field, fieldNumbers, readFields, textFields, writeField, writeInt } from './wire.ts';

export interface FusedModel {
  bytes: Uint8Array;
  /** The name of the input, float32 [N, columns.length]. */
  input: string;
  /** The inputs that it holds, in order; other number inputs of the graph are used by nothing, and gone. */
  columns: string[];
}

/**
 * Where the graph's only use of its number inputs is to put them side by side, their matrix becomes the input.
 * @param numbers the graph's float32 [N, 1] inputs
 * @returns undefined where the graph uses them otherwise
 */
export function fuseInputs(model: Uint8Array, numbers: ReadonlySet<string>): FusedModel | undefined {
  const modelFields = [...readFields(model)];
  const graph = modelFields.find(({ no }) => no === fieldNumbers.model.graph)?.data;
  if (graph === undefined) return undefined;
  const fields = [...readFields(graph)].map((field) => ({ ...field, ...readNode(field) }));
  const uses = fields.filter(({ inputs }) => inputs.some((name) => numbers.has(name)));
  const [concat] = uses;
  if (concat?.data === undefined || uses.length > 1 || textFields(concat.data, fieldNumbers.node.opType)[0] !== 'Concat') return undefined;
  const columns = concat.inputs.filter((name) => numbers.has(name));
  const rest = concat.inputs.slice(columns.length);
  if (new Set(columns).size < columns.length || rest.some((name) => numbers.has(name))) return undefined;

  // Where there is nothing but numbers, what the node gave is the input; else the node puts the input beside the rest.
  const alone = rest.length === 0;
  const taken = new Set(fields.flatMap(({ inputs, outputs }) => [...inputs, ...outputs]));
  let input = concat.outputs[0]!;
  while (!alone && taken.has(input)) input += "'";
  const parts = fields.flatMap((field) => {
    if (field === concat) return alone ? [] : [writeField(fieldNumbers.graph.node, concatNode(concat.data!, [input, ...rest]))];
    const isNumber = field.no === fieldNumbers.graph.input && numbers.has(textFields(field.data!, fieldNumbers.valueInfo.name)[0]!);
    return isNumber ? [] : [field.raw];
  });
  const fused = writeField(fieldNumbers.model.graph, ...parts, writeField(fieldNumbers.graph.input, valueInfo(input, columns.length)));
  const bytes = Buffer.concat(modelFields.map(({ no, raw }) => (no === fieldNumbers.model.graph ? fused : raw)));
  return { bytes, input, columns };
}

/** The names that a graph's field uses and makes, where it is a node. */
function readNode({ no, data }: Field): { inputs: string[]; outputs: string[] } {
  if (no !== fieldNumbers.graph.node || data === undefined) return { inputs: [], outputs: [] };
  return { inputs: textFields(data, fieldNumbers.node.input), outputs: textFields(data, fieldNumbers.node.output) };
}

/** The node with other inputs. */
function concatNode(node: Uint8Array, inputs: readonly string[]): Uint8Array {
  const kept = [...readFields(node)].filter(({ no }) => no !== fieldNumbers.node.input).map(({ raw }) => raw);
  return Buffer.concat([...inputs.map((name) => writeField(fieldNumbers.node.input, name)), ...kept]);
}

/** ValueInfoProto of a float32 tensor [N, columns]: name, type { tensor_type { elem_type, shape { dim { dim_param }, dim { dim_value } } } }. */
function valueInfo(name: string, columns: number): Uint8Array {
  const float32 = 1;
  const shape = [writeField(1, writeField(2, 'N')), writeField(1, writeInt(1, columns))];
  const tensor = writeField(1, writeInt(1, float32), writeField(2, ...shape));
  return Buffer.concat([writeField(fieldNumbers.valueInfo.name, name), writeField(fieldNumbers.valueInfo.type, tensor)]);
}

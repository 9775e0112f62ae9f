/** Writes an ONNX model: the same calls give the same bytes. */
import { create, toBinary } from '@bufbuild/protobuf';
import type { Attribute, GraphBuilder, NodeOptions } from './graph-builder.ts';
import type { AttributeProto, NodeProto, TensorProto, ValueInfoProto } from './schema/onnx_pb.js';
import {
  AttributeProto_AttributeType,
  AttributeProtoSchema,
  GraphProtoSchema,
  ModelProtoSchema,
  NodeProtoSchema,
  OperatorSetIdProtoSchema,
  StringStringEntryProtoSchema,
  TensorProto_DataType,
  TensorProtoSchema,
  TensorShapeProto_DimensionSchema,
  TensorShapeProtoSchema,
  TypeProto_TensorSchema,
  TypeProtoSchema,
  ValueInfoProtoSchema,
} from './schema/onnx_pb.js';
import { doubleBytes, floatBytes, packedFloats, packedInts, repeatedTexts } from './wire.ts';

/** IR 8 and these opsets are read by every onnxruntime since 1.14 (2023). */
const usual = { ir: 8, opsets: { '': 17, 'ai.onnx.ml': 3 } } as const;
/** Of graphs that take texts apart: read by every onnxruntime since 1.17 (2024). */
const ofTexts = { ir: 9, opsets: { '': 20, 'ai.onnx.ml': 3 } } as const;
/** onnxruntime's own operators. */
const contributed = 'com.microsoft';
const textOperators = new Set(['StringSplit', 'StringConcat', 'RegexFullMatch']);
/** Since opset 18 these take as an input the axes that are an attribute before. */
const reductions = new Set(['ReduceMax', 'ReduceMin', 'ReduceMean', 'ReduceProd']);

export type ElementType = 'float' | 'double' | 'string' | 'int64' | 'bool';

const elementTypes = {
  float: TensorProto_DataType.FLOAT,
  double: TensorProto_DataType.DOUBLE,
  string: TensorProto_DataType.STRING,
  int64: TensorProto_DataType.INT64,
  bool: TensorProto_DataType.BOOL,
} as const;

/** A size, or the name of one that is known at run time ('N'). */
export type Dimension = number | string;

export class OnnxGraph implements GraphBuilder {
  private readonly nodes: NodeProto[] = [];
  private readonly initializers: TensorProto[] = [];
  private readonly inputs: ValueInfoProto[] = [];
  private readonly outputs: ValueInfoProto[] = [];
  private readonly declared: ValueInfoProto[] = [];
  /** Tensor → the output that it is. */
  private readonly exported = new Map<string, string>();
  private readonly constants = new Map<string, string>();
  private readonly taken: Set<string>;
  /** The axes of reductions that have them as an attribute. */
  private readonly axes = new Map<NodeProto, readonly number[] | Int32Array>();
  private serial = 0;

  /** @param outputs the names that `output` will use, kept free of other tensors */
  constructor(outputs: readonly string[]) {
    this.taken = new Set(outputs);
  }

  /**
   * Declares an input, before any node is added.
   * @returns its name in the graph: `name` as far as ONNX and its C interface can carry it (not empty, no NUL, unique, no output's)
   */
  input(name: string, type: ElementType, dims: readonly Dimension[]): string {
    const legal = name.toWellFormed().replaceAll('\0', '\uFFFD') || 'input';
    let unique = legal;
    for (let n = 2; this.taken.has(unique); n++) unique = `${legal}_${n}`;
    this.taken.add(unique);
    this.inputs.push(valueInfo(unique, type, dims));
    return unique;
  }

  /** Makes the tensor `from`, which a node computes, the output `name`. */
  output(name: string, from: string, type: ElementType, dims: readonly Dimension[]): void {
    const source = this.exported.has(from) ? this.node('Identity', [from]) : from;
    this.exported.set(source, name);
    this.outputs.push(valueInfo(name, type, dims));
  }

  node(opType: string, inputs: string[], attributes: Record<string, Attribute> = {}, options: NodeOptions = {}): string {
    const output = this.fresh(opType);
    const node = create(NodeProtoSchema, {
      opType,
      input: [...inputs],
      output: [output, ...Array.from({ length: (options.outputs ?? 1) - 1 }, () => this.fresh(opType))],
      domain: options.domain ?? '',
      attribute: Object.entries(attributes).map(([name, value]) => attributeProto(name, value)),
    });
    this.nodes.push(node);
    if (options.strings !== undefined) this.declared.push(valueInfo(output, 'string', options.strings));
    const { axes } = attributes;
    if (reductions.has(opType) && axes !== undefined && 'ints' in axes) this.axes.set(node, axes.ints);
    return output;
  }

  floats(values: readonly number[] | Float32Array, dims: number[] = [values.length]): string {
    return this.initializer({ dataType: TensorProto_DataType.FLOAT, rawData: floatBytes(values) }, dims);
  }

  doubles(values: readonly number[] | Float64Array, dims: number[] = [values.length]): string {
    return this.initializer({ dataType: TensorProto_DataType.DOUBLE, rawData: doubleBytes(values) }, dims);
  }

  int64s(values: readonly (number | bigint)[], dims: number[] = [values.length]): string {
    const wide = BigInt64Array.from(values, BigInt);
    return this.initializer({ dataType: TensorProto_DataType.INT64, rawData: new Uint8Array(wide.buffer) }, dims);
  }

  strings(values: readonly string[], dims: number[] = [values.length]): string {
    return this.initializer({ dataType: TensorProto_DataType.STRING, stringData: values.map(utf8) }, dims);
  }

  /** The serialized ModelProto. @param metadata becomes `metadata_props`, in the order of its keys by code unit */
  toBytes(metadata: Record<string, string>): Uint8Array {
    const { ir, opsets } = this.nodes.some(({ opType }) => textOperators.has(opType)) ? ofTexts : usual;
    if (opsets[''] >= 18) this.giveAxesAsInputs();
    const rename = (tensor: string) => this.exported.get(tensor) ?? tensor;
    const graph = create(GraphProtoSchema, {
      name: 'ingot',
      node: this.nodes.map((node) => ({ ...node, input: node.input.map(rename), output: node.output.map(rename) })),
      initializer: this.initializers,
      input: this.inputs,
      output: this.outputs,
      valueInfo: this.declared,
    });
    const model = create(ModelProtoSchema, {
      irVersion: BigInt(ir),
      producerName: 'ingot',
      graph,
      opsetImport: Object.entries(this.nodes.some(({ domain }) => domain === contributed) ? { ...opsets, [contributed]: 1 } : opsets).map(
        ([domain, version]) => create(OperatorSetIdProtoSchema, { domain, version: BigInt(version) }),
      ),
      metadataProps: Object.keys(metadata)
        .sort()
        .map((key) => create(StringStringEntryProtoSchema, { key, value: metadata[key]! })),
    });
    return toBinary(ModelProtoSchema, model);
  }

  private giveAxesAsInputs(): void {
    for (const [node, axes] of this.axes) {
      node.attribute = node.attribute.filter(({ name }) => name !== 'axes');
      node.input.push(this.int64s([...axes]));
    }
    this.axes.clear();
  }

  private initializer(
    content: { dataType: TensorProto_DataType; rawData?: Uint8Array; stringData?: Uint8Array[] },
    dims: number[],
  ): string {
    const bytes = content.rawData ?? Buffer.concat(content.stringData!.map((text) => Buffer.concat([text, Buffer.of(0xff)])));
    const key = `${content.dataType} ${dims.join()} ${Buffer.from(bytes).toString('latin1')}`;
    const known = this.constants.get(key);
    if (known !== undefined) return known;
    const name = this.fresh('constant');
    this.constants.set(key, name);
    this.initializers.push(create(TensorProtoSchema, { name, dims: dims.map(BigInt), ...content }));
    return name;
  }

  private fresh(prefix: string): string {
    let name: string;
    do name = `${prefix}.${this.serial++}`;
    while (this.taken.has(name));
    this.taken.add(name);
    return name;
  }
}

function utf8(text: string): Uint8Array {
  return new TextEncoder().encode(text);
}

function attributeProto(name: string, value: Attribute): AttributeProto {
  const type = AttributeProto_AttributeType;
  if ('int' in value) return create(AttributeProtoSchema, { name, type: type.INT, i: BigInt(value.int) });
  if ('float' in value) return create(AttributeProtoSchema, { name, type: type.FLOAT, f: value.float });
  if ('string' in value) return create(AttributeProtoSchema, { name, type: type.STRING, s: utf8(value.string) });
  // Written by hand, for the trees of a forest are long lists; AttributeProto.floats is field 7, ints field 8, strings field 9.
  const [listType, list] =
    'strings' in value
      ? [type.STRINGS, repeatedTexts(9, value.strings)]
      : 'ints' in value
        ? [type.INTS, packedInts(8, value.ints)]
        : [type.FLOATS, packedFloats(7, value.floats)];
  const attribute = create(AttributeProtoSchema, { name, type: listType });
  attribute.$unknown = list ? [list] : [];
  return attribute;
}

function valueInfo(name: string, type: ElementType, dims: readonly Dimension[]): ValueInfoProto {
  const shape = create(TensorShapeProtoSchema, {
    dim: dims.map((dim) =>
      create(TensorShapeProto_DimensionSchema, {
        value: typeof dim === 'number' ? { case: 'dimValue', value: BigInt(dim) } : { case: 'dimParam', value: dim },
      }),
    ),
  });
  const tensorType = create(TypeProto_TensorSchema, { elemType: elementTypes[type], shape });
  return create(ValueInfoProtoSchema, { name, type: create(TypeProtoSchema, { value: { case: 'tensorType', value: tensorType } }) });
}

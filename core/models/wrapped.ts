/** A model around another: what both kinds (view/viewed.ts, log-target.ts) have in common. */

import type { GraphBuilder } from '../onnx/graph-builder.ts';
import type { Family, FittedModel, Matrix, Params, Predictions } from './model.ts';

const format = 1;

/** Its bytes: a marker and the length of a JSON head (uint32, little-endian), the head, the inner model's own bytes. */
export abstract class WrappedModel<Head> implements FittedModel {
  protected readonly head: Head;
  protected readonly inner: FittedModel;

  constructor(head: Head, inner: FittedModel) {
    this.head = head;
    this.inner = inner;
  }

  /** Stands where other models have the length of their head, or text. */
  protected abstract readonly marker: number;
  /** The same around another model. */
  protected abstract around(inner: FittedModel): FittedModel;
  abstract predict(x: Matrix): Promise<Predictions>;
  abstract toOnnx(graph: GraphBuilder, input: string): string;

  get family(): string {
    return this.inner.family;
  }

  get params(): Params {
    return this.inner.params;
  }

  get treeCount(): number | undefined {
    return this.inner.treeCount;
  }

  get steps(): number | undefined {
    return this.inner.steps;
  }

  get learningCurve(): readonly number[] | undefined {
    return this.inner.learningCurve;
  }

  get first(): ((steps: number) => FittedModel) | undefined {
    const { inner } = this;
    return inner.first && ((steps) => this.around(inner.first!(steps)));
  }

  serialize(): Uint8Array {
    const head = Buffer.from(JSON.stringify({ format, ...this.head }, finite));
    const lengths = Buffer.alloc(8);
    lengths.writeUInt32LE(this.marker);
    lengths.writeUInt32LE(head.length, 4);
    return new Uint8Array(Buffer.concat([lengths, head, this.inner.serialize()]));
  }
}

/** A family's `deserialize` that knows its wrapped models too. */
export function unwrapping<Head>(
  family: Family,
  marker: number,
  wrap: (head: Head, inner: FittedModel) => FittedModel,
): Family['deserialize'] {
  return (bytes) => {
    const view = new DataView(bytes.buffer, bytes.byteOffset);
    if (view.getUint32(0, true) !== marker) return family.deserialize(bytes);
    const end = 8 + view.getUint32(4, true);
    const { format: found, ...head } = JSON.parse(new TextDecoder().decode(bytes.subarray(8, end))) as Head & { format: number };
    if (found !== format) throw new RangeError(`this is format ${found} of a wrapped model; known is ${format}`);
    // A copy, since arrays in it may want an aligned start.
    return wrap(head as Head, family.deserialize(bytes.slice(end)));
  };
}

/** JSON would make null of what is not finite, and the model that comes back would be another. */
function finite(name: string, value: unknown): unknown {
  if (typeof value === 'number' && !Number.isFinite(value))
    throw new RangeError(`${value} in place ${name} of a wrapped model has no JSON`);
  return value;
}

/**
 * Tree ensembles as bytes: little-endian uint32 words throughout, `features, outputs, trees, nodes, leaves`, then the number of edges
 * of each feature, the edges (float32), the roots, the splits and the leaves (int32). What a node links to follows from the order.
 */
import { linksOf, type TreeEnsemble } from './ensemble.ts';
import { binsPerFeature } from './growth.ts';

export function encodeEnsemble({ features, outputs, edges, roots, splits, leaves }: TreeEnsemble): Uint8Array {
  const counts = Uint32Array.from({ length: features }, (_, f) => edgesOf(edges, f).length);
  const used = Array.from({ length: features }, (_, f) => edgesOf(edges, f));
  const head = Uint32Array.of(features, outputs, roots.length, splits.length, leaves.length);
  const parts = [head, counts, ...used, roots, splits, leaves].map((part) => new Uint8Array(part.buffer, part.byteOffset, part.byteLength));
  const bytes = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    bytes.set(part, at);
    at += part.length;
  }
  return bytes;
}

export function decodeEnsemble(bytes: Uint8Array): TreeEnsemble {
  // A copy, since views of 4-byte words want an aligned start. (Not slice: a Buffer's shares its memory.)
  const { buffer } = new Uint8Array(bytes);
  let at = 0;
  const view = <T>(of: new (buffer: ArrayBuffer, at: number, length: number) => T, length: number): T => {
    const part = new of(buffer, at, length);
    at += length * 4;
    return part;
  };
  const [features, outputs, trees, nodes, leafWords] = view(Uint32Array, 5) as unknown as [number, number, number, number, number];
  const counts = view(Uint32Array, features);
  const edges = new Float32Array(features * binsPerFeature).fill(Number.POSITIVE_INFINITY);
  counts.forEach((count, f) => {
    edges.set(view(Float32Array, count), f * binsPerFeature);
  });
  const roots = view(Uint32Array, trees);
  const splits = view(Uint32Array, nodes);
  return { features, outputs, edges, roots, splits, links: linksOf(splits), leaves: view(Int32Array, leafWords) };
}

/** The finite edges of a feature. */
function edgesOf(edges: Float32Array, feature: number): Float32Array {
  const all = edges.subarray(feature * binsPerFeature, (feature + 1) * binsPerFeature);
  const end = all.indexOf(Number.POSITIVE_INFINITY);
  return end < 0 ? all : all.subarray(0, end);
}

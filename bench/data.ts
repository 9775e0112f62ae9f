/** Tables that both sides read: row-major float32 and int32 labels, made once by scikit-learn. */
import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import type { Matrix, Target } from '../core/models/model.ts';
import { bench, benchPython, rivalEnvironment } from './python.ts';

export interface Table {
  x: Matrix;
  y: Target & { task: 'classification' };
}

/** Makes a table with make_classification, or takes one of scikit-learn's own ('breast_cancer'). @returns the folder it is in */
export function makeTable(name: string, rows = 0, columns = 0): string {
  const folder = resolve(bench, '.data', rows ? `${name}-${rows}x${columns}` : name);
  if (!existsSync(resolve(folder, 'y.i32'))) {
    mkdirSync(folder, { recursive: true });
    execFileSync(benchPython(), [resolve(bench, 'data.py'), name, folder, String(rows), String(columns)], { env: rivalEnvironment() });
  }
  return folder;
}

/** The rows [from, to) of a table, as our models take them. */
export function readTable(folder: string, from = 0, to?: number): Table {
  const all = new Int32Array(bytesOf(folder, 'y.i32'));
  const flat = new Float32Array(bytesOf(folder, 'x.f32'));
  const columns = flat.length / all.length;
  const labels = all.slice(from, to);
  const rows = labels.length;
  const data = new Float32Array(rows * columns);
  for (let row = 0; row < rows; row++)
    for (let column = 0; column < columns; column++) data[column * rows + row] = flat[(from + row) * columns + column]!;
  const names = Array.from({ length: columns }, (_, column) => `c${column}`);
  return { x: { rows, columns, names, data }, y: { task: 'classification', classes: Math.max(...new Set(all)) + 1, labels } };
}

function bytesOf(folder: string, file: string): ArrayBuffer {
  return new Uint8Array(readFileSync(resolve(folder, file))).buffer;
}

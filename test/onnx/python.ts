/** The same graph run by Python's onnxruntime. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { RawRows } from '../../core/serving/rows.ts';
import { runPython } from '../python.ts';

const script = `
import base64, json, sys
import numpy, onnx, onnxruntime
answers = []
for case in json.load(sys.stdin):
    onnx.checker.check_model(onnx.load(case["model"]), full_check=True)
    session = onnxruntime.InferenceSession(case["model"])
    feeds = {}
    for declared, column in zip(session.get_inputs(), case["columns"]):
        if declared.type == "tensor(float)":
            feeds[declared.name] = numpy.frombuffer(base64.b64decode(column), "<f4").reshape(-1, 1)
        elif declared.type == "tensor(double)":
            feeds[declared.name] = numpy.frombuffer(base64.b64decode(column), "<f8").reshape(-1, 1)
        else:
            feeds[declared.name] = numpy.array(column, dtype=object).reshape(-1, 1)
    outputs = {o.name: v for o, v in zip(session.get_outputs(), session.run(None, feeds))}
    numbers = outputs.get("probabilities", outputs.get("value"))
    labels = outputs.get("label")
    answers.append({"numbers": base64.b64encode(numbers.astype("<f4").tobytes()).decode(), "labels": None if labels is None else labels.tolist()})
json.dump(answers, sys.stdout)
`;

export interface PythonAnswer {
  /** Probabilities or values, row-major. */
  numbers: Float32Array;
  labels: (string | number)[] | null;
}

/** Each model, checked by onnx's full check and run on its rows. */
export function askPython(cases: readonly { model: Uint8Array; rows: RawRows }[]): PythonAnswer[] {
  const folder = mkdtempSync(join(tmpdir(), 'ingot-onnx-'));
  try {
    const request = cases.map(({ model, rows }, i) => {
      const path = join(folder, `${i}.onnx`);
      writeFileSync(path, model);
      return { model: path, columns: rows.columns.map((column) => (Array.isArray(column) ? column : base64(column))) };
    });
    const answers = JSON.parse(runPython(script, JSON.stringify(request))) as { numbers: string; labels: PythonAnswer['labels'] }[];
    return answers.map(({ numbers, labels }) => ({
      numbers: new Float32Array(new Uint8Array(Buffer.from(numbers, 'base64')).buffer),
      labels,
    }));
  } finally {
    rmSync(folder, { recursive: true });
  }
}

function base64(values: Float32Array | Float64Array): string {
  return Buffer.from(values.buffer, values.byteOffset, values.byteLength).toString('base64');
}

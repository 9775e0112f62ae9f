/** What Python's onnxruntime answers, bit for bit, in whole batches, single rows, and with one thread or two. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { FittedModel, Matrix } from '../../core/models/model.ts';
import { runPython } from '../python.ts';
import { numbersOf } from './data.ts';
import { graphOf, rowMajor } from './graph.ts';

const judge = `
import json, sys, numpy, onnxruntime
answers = []
for case in json.load(sys.stdin):
    x = numpy.fromfile(case["x"], "<f4").reshape(-1, case["columns"])
    differ = 0
    for threads in (1, 2):
        for level in (onnxruntime.GraphOptimizationLevel.ORT_DISABLE_ALL, onnxruntime.GraphOptimizationLevel.ORT_ENABLE_ALL):
            options = onnxruntime.SessionOptions()
            options.intra_op_num_threads = threads
            options.graph_optimization_level = level
            session = onnxruntime.InferenceSession(case["model"], options)
            whole = session.run(None, {"features": x})[0]
            single = numpy.vstack([session.run(None, {"features": x[i : i + 1]})[0] for i in range(0, len(x), 97)])
            want = numpy.fromfile(case["want"], "<f4").reshape(whole.shape)
            differ += int((whole.view("u4") != want.view("u4")).sum()) + int((single.view("u4") != want[::97].view("u4")).sum())
    answers.append(differ)
json.dump(answers, sys.stdout)
`;

/** @returns of each case, how many numbers Python's onnxruntime answers otherwise than `predict` */
export async function differences(cases: { model: FittedModel; x: Matrix }[]): Promise<number[]> {
  const folder = mkdtempSync(join(tmpdir(), 'ingot-parity-'));
  try {
    const request = await Promise.all(
      cases.map(async ({ model, x }, i) => {
        const path = (name: string) => join(folder, `${i}-${name}`);
        writeFileSync(path('model'), graphOf(model, x.columns));
        writeFileSync(path('x'), rowMajor(x));
        writeFileSync(path('want'), numbersOf(await model.predict(x)));
        return { model: path('model'), x: path('x'), want: path('want'), columns: x.columns };
      }),
    );
    return JSON.parse(runPython(judge, JSON.stringify(request))) as number[];
  } finally {
    rmSync(folder, { recursive: true });
  }
}

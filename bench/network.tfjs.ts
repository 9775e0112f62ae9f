/**
 * `network.tfjs.ts <folder> <train rows>`: as network.ours.ts, by TensorFlow.js. Slopes are written out: its core alone, as Node loads it, has no
 * gradients, and a tape would only cost time.
 */
import { dirname } from 'node:path';
import { fileURLToPath } from 'node:url';
import { setWasmPaths } from '@tensorflow/tfjs-backend-wasm';
import * as tf from '@tensorflow/tfjs-core';
import { Random } from '../core/random.ts';
import { readTable } from './data.ts';

const [batch, epochs, rate, width] = [200, 20, 0.002, 64];
const [folder, rows] = process.argv.slice(2) as [string, string];

setWasmPaths(`${dirname(fileURLToPath(import.meta.resolve('@tensorflow/tfjs-backend-wasm')))}/`);
await tf.setBackend('wasm');
await tf.ready();
const train = readTable(folder, 0, Number(rows));
const unseen = readTable(folder, Number(rows));
const { columns } = train.x;
const { classes } = train.y;

/** Columns standardised by the train rows. */
const { mean, variance } = tf.moments(tf.tensor2d(train.x.data, [columns, train.x.rows]), 1, true);
const deviation = tf.sqrt(variance);
const standard = ({ x }: typeof train) =>
  tf.transpose(tf.div(tf.sub(tf.tensor2d(x.data, [columns, x.rows]), mean), deviation)) as tf.Tensor2D;
const [x, held] = [standard(train), standard(unseen)];
const y = tf.cast(tf.oneHot(tf.tensor1d(train.y.labels, 'int32'), classes), 'float32');

const before = process.cpuUsage();
const started = performance.now();
const sizes = [columns, width, width, classes];
const layers = sizes.slice(1).map((outputs, l) => ({
  weights: tf.variable(tf.mul(tf.randomUniform([sizes[l]!, outputs], -1, 1, 'float32', l), Math.sqrt(6 / (sizes[l]! + outputs)))),
  bias: tf.variable(tf.zeros([outputs])),
}));
const kernelOf = (l: number) => layers[l]!.weights as unknown as tf.Tensor2D;
/** What each layer takes, and the scores. */
function forward(of: tf.Tensor2D): tf.Tensor2D[] {
  const active = [of];
  layers.forEach(({ bias }, l) => {
    const sums = tf.add(tf.matMul(active[l]!, kernelOf(l)), bias) as tf.Tensor2D;
    active.push(l < layers.length - 1 ? tf.relu(sums) : sums);
  });
  return active;
}
const adam = tf.train.adam(rate);
const order = Int32Array.from({ length: train.x.rows }, (_, row) => row);
const random = new Random(0);
for (let epoch = 0; epoch < epochs; epoch++) {
  random.shuffle(order);
  for (let at = 0; at + batch <= order.length; at += batch)
    tf.tidy(() => {
      const chosen = tf.tensor1d(order.subarray(at, at + batch), 'int32');
      const active = forward(tf.gather(x, chosen));
      let slopes = tf.div(tf.sub(tf.softmax(active.at(-1)!), tf.gather(y, chosen)), batch) as tf.Tensor2D;
      const gradients: { name: string; tensor: tf.Tensor }[] = [];
      for (let l = layers.length - 1; l >= 0; l--) {
        gradients.push({ name: layers[l]!.weights.name, tensor: tf.matMul(active[l]!, slopes, true, false) });
        gradients.push({ name: layers[l]!.bias.name, tensor: tf.sum(slopes, 0) });
        if (l > 0) slopes = tf.mul(tf.matMul(slopes, kernelOf(l), false, true), tf.step(active[l]!)) as tf.Tensor2D;
      }
      adam.applyGradients(gradients);
    });
}
const seconds = (performance.now() - started) / 1000;
const { user, system } = process.cpuUsage(before);
const peakMegabytes = process.resourceUsage().maxRSS / 1024;
const labels = await tf.argMax(forward(held).at(-1)!, 1).data();
const right = labels.filter((label, row) => label === unseen.y.labels[row]).length;
console.log(JSON.stringify({ seconds, coreSeconds: (user + system) / 1e6, score: right / labels.length, peakMegabytes }));
process.exit(0);

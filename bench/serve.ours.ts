/**
 * Ours, in a process of its own: `cloud` is the laptop cloud (gateway, key check, Lambda processes), `alone` the handler behind node:http.
 * Prints `{url, key}` when it answers; ends with its standard input.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { S3ObjectStore, s3Client } from '../aws/s3-object-store.ts';
import { MemoryObjectStore } from '../core/registry/memory-object-store.ts';
import { createPredict } from '../functions/predict.lambda.ts';
import { startCloud } from '../local/start-cloud.ts';
import { synthesize } from '../local/synth.ts';
import { makeModel, publishModel } from './serve.model.ts';

const tell = (where: { url: string; key: string }) => process.stdout.write(`${JSON.stringify(where)}\n`);
const { graph } = await makeModel();

if (process.argv[2] === 'cloud') {
  const home = mkdtempSync(join(tmpdir(), 'ingot-serve-'));
  // The stack as it is, but for its throttle: 1,000 requests a second a key would be all that we could measure.
  const assembly = synthesize({ requestsPerSecond: 100_000, requestBurst: 100_000 });
  const { outputs, close } = await startCloud({ assembly, home, port: 0 });
  const client = s3Client({
    endpoint: outputs['EndpointUrl']!,
    region: 'us-east-1',
    credentials: { accessKeyId: 'test', secretAccessKey: 'test' },
  });
  await publishModel(new S3ObjectStore(outputs['ModelBucket']!, client), graph);
  tell({ url: `${outputs['ApiUrl']}predict`, key: outputs['ApiKey']! });
  process.stdin.on('end', () => void close().then(() => rmSync(home, { recursive: true, force: true }))).resume();
} else {
  const store = new MemoryObjectStore();
  await publishModel(store, graph);
  const predict = createPredict({ models: async () => store, emit: () => undefined });
  const server = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', async () => {
      const { statusCode, headers, body } = await predict({
        httpMethod: request.method!,
        path: request.url!,
        headers: request.headers as Record<string, string>,
        queryStringParameters: null,
        body: (chunks.length === 1 ? chunks[0]! : Buffer.concat(chunks)).toString('utf8'),
        isBase64Encoded: false,
      });
      response.writeHead(statusCode, { ...headers, 'content-length': Buffer.byteLength(body) }).end(body);
    });
  });
  server.listen(0, '127.0.0.1', () => tell({ url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/predict`, key: '' }));
  process.stdin.on('end', () => process.exit(0)).resume();
}

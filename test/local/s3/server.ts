import { mkdtemp, rm } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { S3Client, type S3ClientConfig } from '@aws-sdk/client-s3';
import { createS3, type S3, type S3ObjectEvent } from '../../../local/s3/s3.ts';

export interface TestServer {
  s3: S3;
  root: string;
  endpoint: string;
  events: S3ObjectEvent[];
  client(config?: S3ClientConfig): S3Client;
  /** Stops and starts on the same folder. */
  restart(): Promise<void>;
  stop(): Promise<void>;
}

/** The laptop's S3 in this process, in a folder of its own, on a free port. */
export async function startServer(): Promise<TestServer> {
  const home = await mkdtemp(join(tmpdir(), 'ingot-s3-'));
  const root = join(home, 's3');
  const events: S3ObjectEvent[] = [];
  const open = () => createS3({ root, onEvent: (event) => events.push(event) });
  const server = createServer((request, response) => void testServer.s3.handle(request, response));
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
  const endpoint = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const testServer: TestServer = {
    s3: await open(),
    root,
    endpoint,
    events,
    client: (config) => connect(endpoint, config),
    restart: async () => {
      await testServer.s3.close();
      testServer.s3 = await open();
    },
    stop: async () => {
      server.closeAllConnections();
      await new Promise((done) => server.close(done));
      await testServer.s3.close();
      await rm(home, { recursive: true, force: true, maxRetries: 5 });
    },
  };
  return testServer;
}

export function connect(endpoint: string, config: S3ClientConfig = {}): S3Client {
  const credentials = { accessKeyId: 'test', secretAccessKey: 'test' };
  return new S3Client({ endpoint, region: 'us-east-1', forcePathStyle: true, credentials, maxAttempts: 1, ...config });
}

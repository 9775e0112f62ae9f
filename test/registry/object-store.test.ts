import { afterAll, beforeAll } from 'vitest';
import { S3ObjectStore } from '../../aws/s3-object-store.ts';
import { MemoryObjectStore } from '../../core/registry/memory-object-store.ts';
import { startServer, type TestServer } from '../local/s3/server.ts';
import { objectStoreContract } from './object-store.contract.ts';

objectStoreContract('the object store in memory', async () => {
  const store = new MemoryObjectStore();
  return { store, versionId: async (key) => store.versionId(key) };
});

let server: TestServer;
let buckets = 0;
beforeAll(async () => {
  server = await startServer();
});
afterAll(() => server.stop());

objectStoreContract("the object store on S3 (the laptop's)", async () => {
  const bucket = `contract-${++buckets}`;
  await server.s3.createBucket(bucket, { versioned: true });
  return { store: new S3ObjectStore(bucket, server.client()), versionId: async (key) => server.s3.head(bucket, key)!.versionId };
});

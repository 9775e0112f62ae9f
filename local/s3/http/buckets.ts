import { S3Error } from '../errors.ts';
import { checkBucketName } from '../names.ts';
import type { Store } from '../store.ts';
import type { Exchange } from './exchange.ts';
import { owner } from './lists.ts';
import { text } from './xml.ts';

export function listBuckets(store: Store, x: Exchange): void {
  const prefix = x.query.get('prefix') ?? '';
  const buckets = [...store.buckets.values()].filter(({ name }) => name.startsWith(prefix)).sort((a, b) => (a.name < b.name ? -1 : 1));
  x.xml('ListAllMyBucketsResult', {
    Owner: owner,
    Buckets: { Bucket: buckets.map(({ name, created }) => ({ Name: name, CreationDate: new Date(created).toISOString() })) },
  });
}

export async function createBucket(store: Store, x: Exchange): Promise<void> {
  checkBucketName(x.bucket);
  await x.document('CreateBucketConfiguration'); // any region is this one
  if (store.buckets.has(x.bucket)) throw new S3Error('BucketAlreadyOwnedByYou', undefined, { BucketName: x.bucket });
  await store.createBucket(x.bucket, 'Off');
  x.empty(200, { location: `/${x.bucket}` });
}

export function headBucket(store: Store, x: Exchange, region: string): void {
  store.bucket(x.bucket);
  x.empty(200, { 'x-amz-bucket-region': region });
}

export async function deleteBucket(store: Store, x: Exchange): Promise<void> {
  await store.deleteBucket(x.bucket);
  x.empty(204);
}

export function location(store: Store, x: Exchange, region: string): void {
  store.bucket(x.bucket);
  // S3's oldest region has the empty name.
  x.xml('LocationConstraint', region === 'us-east-1' ? {} : { LocationConstraint: region });
}

export async function versioning(store: Store, x: Exchange): Promise<void> {
  const bucket = store.bucket(x.bucket);
  if (x.method === 'GET') return x.xml('VersioningConfiguration', { Status: bucket.versioning === 'Off' ? undefined : bucket.versioning });
  const status = text(await x.document('VersioningConfiguration'), 'Status')?.trim();
  if (status !== 'Enabled' && status !== 'Suspended') {
    throw new S3Error('MalformedXML', 'The versioning configuration must have a Status of Enabled or Suspended.');
  }
  await store.createBucket(x.bucket, status);
  x.empty(200);
}

/** Everything here belongs to the one account. */
export function acl(store: Store, x: Exchange): void {
  if (x.key === '') store.bucket(x.bucket);
  else store.find(x.bucket, x.key, x.query.get('versionId'));
  x.xml('AccessControlPolicy', { Owner: owner, AccessControlList: { Grant: { Grantee: owner, Permission: 'FULL_CONTROL' } } });
}

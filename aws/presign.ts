/** Addresses to which anybody may put one object, for a while. */
import { PutObjectCommand } from '@aws-sdk/client-s3';
import { getSignedUrl } from '@aws-sdk/s3-request-presigner';
import { s3Client } from './s3-object-store.ts';

export type Presign = (key: string, seconds: number) => Promise<string>;

/** Without a checksum: it would be signed, and whoever uploads, `curl -T` say, does not send it. */
export function presigner(bucket: string): Presign {
  const client = s3Client({ requestChecksumCalculation: 'WHEN_REQUIRED' });
  return (key, seconds) => getSignedUrl(client, new PutObjectCommand({ Bucket: bucket, Key: key }), { expiresIn: seconds });
}

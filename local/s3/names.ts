import { S3Error } from './errors.ts';

/** S3's rules for bucket names. @throws S3Error InvalidBucketName */
export function checkBucketName(name: string): void {
  if (/^[a-z0-9](?:[a-z0-9-]|\.(?!\.)){1,61}[a-z0-9]$/.test(name) && !/^\d+\.\d+\.\d+\.\d+$/.test(name)) return;
  throw new S3Error('InvalidBucketName', undefined, { BucketName: name });
}

/** Any 1 to 1,024 bytes of UTF-8 are a key. @throws S3Error KeyTooLongError, InvalidURI (not Unicode) */
export function checkKey(key: string): void {
  if (key === '' || !key.isWellFormed()) throw new S3Error('InvalidURI', 'A key must be Unicode text that is not empty.');
  const size = Buffer.byteLength(key);
  if (size > 1024) throw new S3Error('KeyTooLongError', undefined, { Size: String(size), MaxSizeAllowed: '1024' });
}

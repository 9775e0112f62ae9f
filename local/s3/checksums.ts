import { createHash } from 'node:crypto';
import { crc32 } from 'node:zlib';

export const checksumAlgorithms = ['CRC32', 'CRC32C', 'CRC64NVME', 'SHA1', 'SHA256'] as const;
export type ChecksumAlgorithm = (typeof checksumAlgorithms)[number];
/** A multipart object's checksum is of its bytes, or (COMPOSITE) of its parts' checksums. */
export type ChecksumType = 'FULL_OBJECT' | 'COMPOSITE';

export interface Checksum {
  algorithm: ChecksumAlgorithm;
  /** base64, big-endian; composite ones end with `-<parts>`. */
  value: string;
  type: ChecksumType;
}

export const checksumHeader = (algorithm: ChecksumAlgorithm) => `x-amz-checksum-${algorithm.toLowerCase()}`;

export interface Hasher {
  update(chunk: Uint8Array): void;
  digest(): Buffer;
}

export function createHasher(algorithm: ChecksumAlgorithm | 'MD5'): Hasher {
  switch (algorithm) {
    case 'CRC32': {
      let crc = 0;
      return {
        update: (chunk) => {
          crc = crc32(chunk, crc);
        },
        digest: () => bytes(BigInt(crc), 4),
      };
    }
    case 'CRC32C':
      return crc32c();
    case 'CRC64NVME':
      return crc64nvme();
    default: {
      const hash = createHash(algorithm);
      return { update: (chunk) => void hash.update(chunk), digest: () => hash.digest() };
    }
  }
}

/** The checksum of checksums that S3 gives a multipart object. */
export function composite(algorithm: ChecksumAlgorithm, parts: string[]): string {
  const hasher = createHasher(algorithm);
  for (const part of parts) hasher.update(Buffer.from(part, 'base64'));
  return `${hasher.digest().toString('base64')}-${parts.length}`;
}

const bytes = (value: bigint, width: number) => Buffer.from(value.toString(16).padStart(width * 2, '0'), 'hex');

/** Reflected generator polynomials: Castagnoli's, and the one of the NVMe specification (both as in RFC 3720 and Rocksoft's). */
const polynomials = { CRC32: 0xedb88320n, CRC32C: 0x82f63b78n, CRC64NVME: 0x9a6c9329ac4bc9b5n } as const;

/** table[k][b]: the CRC of byte b followed by k zero bytes ("slicing by 8", Kounavis and Berry 2005), low 32 bits then high. */
function slices(polynomial: bigint): { low: Int32Array; high: Int32Array } {
  const table = Array.from({ length: 8 * 256 }, () => 0n);
  for (let b = 0; b < 256; b++) {
    let crc = BigInt(b);
    for (let bit = 0; bit < 8; bit++) crc = crc & 1n ? (crc >> 1n) ^ polynomial : crc >> 1n;
    table[b] = crc;
  }
  for (let i = 256; i < table.length; i++) {
    const before = table[i - 256]!;
    table[i] = (before >> 8n) ^ table[Number(before & 0xffn)]!;
  }
  return {
    low: Int32Array.from(table, (value) => Number(BigInt.asIntN(32, value))),
    high: Int32Array.from(table, (value) => Number(BigInt.asIntN(32, value >> 32n))),
  };
}

let castagnoli: Int32Array | undefined;

function crc32c(): Hasher {
  castagnoli ??= slices(polynomials.CRC32C).low;
  const t = castagnoli;
  let crc = -1;
  return {
    update(chunk) {
      const end = chunk.length;
      let i = 0;
      let c = crc;
      for (; i + 8 <= end; i += 8) {
        const a = c ^ (chunk[i]! | (chunk[i + 1]! << 8) | (chunk[i + 2]! << 16) | (chunk[i + 3]! << 24));
        c =
          t[1792 + (a & 255)]! ^
          t[1536 + ((a >>> 8) & 255)]! ^
          t[1280 + ((a >>> 16) & 255)]! ^
          t[1024 + (a >>> 24)]! ^
          t[768 + chunk[i + 4]!]! ^
          t[512 + chunk[i + 5]!]! ^
          t[256 + chunk[i + 6]!]! ^
          t[chunk[i + 7]!]!;
      }
      for (; i < end; i++) c = t[(c ^ chunk[i]!) & 255]! ^ (c >>> 8);
      crc = c;
    },
    digest: () => bytes(BigInt((crc ^ -1) >>> 0), 4),
  };
}

let nvme: { low: Int32Array; high: Int32Array } | undefined;

function crc64nvme(): Hasher {
  nvme ??= slices(polynomials.CRC64NVME);
  const { low: l, high: h } = nvme;
  let low = -1;
  let high = -1;
  return {
    update(chunk) {
      const end = chunk.length;
      let i = 0;
      for (; i + 8 <= end; i += 8) {
        const a = low ^ (chunk[i]! | (chunk[i + 1]! << 8) | (chunk[i + 2]! << 16) | (chunk[i + 3]! << 24));
        const b = high ^ (chunk[i + 4]! | (chunk[i + 5]! << 8) | (chunk[i + 6]! << 16) | (chunk[i + 7]! << 24));
        const i0 = 1792 + (a & 255);
        const i1 = 1536 + ((a >>> 8) & 255);
        const i2 = 1280 + ((a >>> 16) & 255);
        const i3 = 1024 + (a >>> 24);
        const i4 = 768 + (b & 255);
        const i5 = 512 + ((b >>> 8) & 255);
        const i6 = 256 + ((b >>> 16) & 255);
        const i7 = b >>> 24;
        low = l[i0]! ^ l[i1]! ^ l[i2]! ^ l[i3]! ^ l[i4]! ^ l[i5]! ^ l[i6]! ^ l[i7]!;
        high = h[i0]! ^ h[i1]! ^ h[i2]! ^ h[i3]! ^ h[i4]! ^ h[i5]! ^ h[i6]! ^ h[i7]!;
      }
      for (; i < end; i++) {
        const index = (low ^ chunk[i]!) & 255;
        low = l[index]! ^ ((low >>> 8) | (high << 24));
        high = h[index]! ^ (high >>> 8);
      }
    },
    digest: () => bytes((BigInt((high ^ -1) >>> 0) << 32n) | BigInt((low ^ -1) >>> 0), 8),
  };
}

/** One operator a power of two of bytes: column j is what bit j becomes when that many zero bytes follow (Adler, zlib's crc32_combine). */
const zeros = new Map<ChecksumAlgorithm, bigint[][]>();

/** The CRC of two byte strings laid end to end, from their CRCs and the second's length. */
export function combineCrc(algorithm: 'CRC32' | 'CRC32C' | 'CRC64NVME', first: string, second: string, secondLength: number): string {
  const width = algorithm === 'CRC64NVME' ? 64 : 32;
  let operators = zeros.get(algorithm);
  if (!operators) {
    const oneBit = [polynomials[algorithm], ...Array.from({ length: width - 1 }, (_, j) => 1n << BigInt(j))];
    operators = [square(square(square(oneBit)))]; // one bit thrice doubled: a byte
    zeros.set(algorithm, operators);
  }
  let crc = BigInt(`0x${Buffer.from(first, 'base64').toString('hex')}`);
  for (let k = 0, length = secondLength; length >= 1; k++, length = Math.floor(length / 2)) {
    operators[k] ??= square(operators[k - 1]!);
    if (length % 2 === 1) crc = times(operators[k]!, crc);
  }
  return bytes(crc ^ BigInt(`0x${Buffer.from(second, 'base64').toString('hex')}`), width / 8).toString('base64');
}

function times(matrix: bigint[], vector: bigint): bigint {
  let sum = 0n;
  for (let j = 0, rest = vector; rest !== 0n; j++, rest >>= 1n) if (rest & 1n) sum ^= matrix[j]!;
  return sum;
}

const square = (matrix: bigint[]) => matrix.map((column) => times(matrix, column));

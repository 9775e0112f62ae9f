import type { Segment } from './blobs.ts';
import type { Checksum, ChecksumAlgorithm, ChecksumType } from './checksums.ts';

/** What happened to an object, in the fields of S3's notifications. Kept on disk until acknowledged. */
export interface S3ObjectEvent {
  /** For `ackEvent`; unique over all buckets. */
  id: string;
  eventName:
    | 'ObjectCreated:Put'
    | 'ObjectCreated:Copy'
    | 'ObjectCreated:CompleteMultipartUpload'
    | 'ObjectRemoved:Delete'
    | 'ObjectRemoved:DeleteMarkerCreated'
    | 'LifecycleExpiration:Delete'
    | 'LifecycleExpiration:DeleteMarkerCreated';
  /** ISO 8601. */
  eventTime: string;
  bucket: string;
  /** As it is, not URL-encoded. */
  key: string;
  /** Bytes; 0 for removals. */
  size: number;
  /** Without quotes; empty for removals. */
  eTag: string;
  /** Absent where the bucket isn't versioned. */
  versionId?: string;
  /** Hexadecimal digits of one length: of two events of a key the later one's is the greater string. */
  sequencer: string;
}

/** `Off` until versioning is first enabled; after that it can only be suspended. */
export type Versioning = 'Off' | 'Enabled' | 'Suspended';

/** One version of an object, or a delete marker. */
export interface Version {
  key: string;
  /** `null` where it was written without versioning. */
  versionId: string;
  /** Milliseconds since 1970. */
  lastModified: number;
  deleteMarker?: true;
  size: number;
  /** Without quotes. */
  etag: string;
  segments: Segment[];
  /** content-type, cache-control and the like, lower case. */
  headers: Record<string, string>;
  /** User metadata, names without `x-amz-meta-`. */
  metadata: Record<string, string>;
  tags?: Record<string, string>;
  checksum?: Checksum;
  /** Of a multipart object: its parts in order, a segment each. */
  parts?: Part[];
}

export interface Part {
  number: number;
  size: number;
  etag: string;
  lastModified: number;
  /** base64, in the upload's algorithm. */
  checksum?: string;
  segments: Segment[];
}

/** A multipart upload in the making. */
export interface Upload {
  id: string;
  key: string;
  initiated: number;
  headers: Record<string, string>;
  metadata: Record<string, string>;
  tags?: Record<string, string>;
  checksum?: { algorithm: ChecksumAlgorithm; type: ChecksumType };
}

/** At most one: write only where there is no object, or only over the object with this etag (`*`: over any). */
export interface WriteCondition {
  ifNoneMatch?: '*';
  ifMatch?: string;
}

/** The records of the journal. */
export type Change =
  | { t: 'bucket'; name: string; created: number; versioning: Versioning }
  | { t: 'bucket-gone'; name: string }
  | { t: 'version'; bucket: string; version: Version; event?: S3ObjectEvent }
  | { t: 'version-gone'; bucket: string; key: string; versionId: string; event?: S3ObjectEvent }
  | { t: 'tags'; bucket: string; key: string; versionId: string; tags: Record<string, string> }
  | { t: 'upload'; bucket: string; upload: Upload }
  | { t: 'part'; bucket: string; uploadId: string; part: Part }
  | { t: 'upload-gone'; bucket: string; uploadId: string }
  | { t: 'event'; event: S3ObjectEvent }
  | { t: 'ack'; id: string }
  | { t: 'clock'; at: number };

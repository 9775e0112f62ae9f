/** Events of a bucket: who is told of them, and in which words. */
import type { S3ObjectEvent } from '../s3/s3.ts';
import { region } from '../template/template.ts';

/** What of a bucket's events goes where. */
export interface Notification {
  bucket: string;
  id: string;
  events: string[];
  prefix: string;
  suffix: string;
  /** A function, queue or topic. */
  target: string;
}

export function concerns({ bucket, events, prefix, suffix }: Notification, event: S3ObjectEvent): boolean {
  return (
    bucket === event.bucket &&
    event.key.startsWith(prefix) &&
    event.key.endsWith(suffix) &&
    events.some((pattern) => matches(pattern, `s3:${event.eventName}`))
  );
}

function matches(pattern: string, eventName: string): boolean {
  return pattern.endsWith('*') ? eventName.startsWith(pattern.slice(0, -1)) : pattern === eventName;
}

/** S3's notification record, whose keys are form-encoded. */
export function s3Record(event: S3ObjectEvent, configurationId: string) {
  return {
    eventVersion: '2.1',
    eventSource: 'aws:s3',
    awsRegion: region,
    eventTime: event.eventTime,
    eventName: event.eventName,
    userIdentity: { principalId: 'laptop' },
    requestParameters: { sourceIPAddress: '127.0.0.1' },
    responseElements: {},
    s3: {
      s3SchemaVersion: '1.0',
      configurationId,
      bucket: { name: event.bucket, ownerIdentity: { principalId: 'laptop' }, arn: `arn:aws:s3:::${event.bucket}` },
      object: {
        key: encodeURIComponent(event.key).replaceAll('%20', '+').replaceAll('%2F', '/'),
        size: event.size,
        eTag: event.eTag,
        ...(event.versionId && { versionId: event.versionId }),
        sequencer: event.sequencer,
      },
    },
  };
}

/** The part of an S3 notification that we read, parsed at the edge. */
import * as z from 'zod/mini';
import type { DataSource } from '../../core/registry/datasets.ts';

const s3Record = z.object({
  eventName: z.string(),
  eventTime: z.string(),
  s3: z.object({
    object: z.object({ key: z.string(), versionId: z.optional(z.nullable(z.string())), sequencer: z.optional(z.string()) }),
  }),
});

/** A notification, or the test event that S3 sends when notifications are set up, which has no records. */
const s3Event = z.object({ Records: z.optional(z.array(s3Record)) });

/** The objects that an event says were written. Keys come form-encoded: `+` is a space. */
export function writtenObjects(event: unknown): DataSource[] {
  return (s3Event.parse(event).Records ?? [])
    .filter(({ eventName }) => /^(s3:)?ObjectCreated:/.test(eventName))
    .map(({ eventTime, s3: { object } }) => ({
      key: decodeURIComponent(object.key.replaceAll('+', ' ')),
      ...(object.versionId && { versionId: object.versionId }),
      sequencer: object.sequencer ?? '',
      eventTime,
    }));
}

/** Handles every record, even after one has failed; then fails with the first error, so that the event comes again. */
export async function forEachObject(event: unknown, work: (source: DataSource) => Promise<void>): Promise<void> {
  const failures: unknown[] = [];
  for (const source of writtenObjects(event)) {
    try {
      await work(source);
    } catch (error) {
      failures.push(error);
    }
  }
  if (failures.length > 0) throw failures[0];
}

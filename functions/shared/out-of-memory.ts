/** How work tells that its memory was used up: DuckDB and V8 by an error, a process by the way in which it ended. */
import type { Ending } from '../../core/compute/batch.ts';

/** DuckDB says the same of a disk that is full. */
const ofDisk = /max_temp_directory_size/;
const ofMemory = /Out of Memory Error|Array buffer allocation failed|could not allocate memory/i;

export const isOutOfMemory = (error: unknown): boolean =>
  error instanceof Error && ofMemory.test(error.message) && !ofDisk.test(error.message);

/** What a process ends with that was killed, for want of memory most likely. */
export const killed = 128 + 9;
/** V8 aborts the process whose objects have no room. */
const aborted = 128 + 6;

export const endedOutOfMemory = ({ reason = '', exitCode }: Ending): boolean =>
  exitCode === killed || exitCode === aborted || /OutOfMemory/.test(reason);

/** How work tells that its memory or its disk was used up: DuckDB, V8 and the system by an error, a process by the way in which it ended. */
import type { Ending } from '../../core/compute/batch.ts';

/** Of a disk that is full DuckDB may say, too, that it is out of memory. */
const ofDisk = /^IO Error: .*no space left|max_temp_directory_size/is;
const ofMemory = /Out of Memory Error|Array buffer allocation failed|could not allocate memory/i;

export const isOutOfDisk = (error: unknown): boolean =>
  error instanceof Error && ((error as NodeJS.ErrnoException).code === 'ENOSPC' || ofDisk.test(error.message));

export const isOutOfMemory = (error: unknown): boolean => error instanceof Error && ofMemory.test(error.message) && !isOutOfDisk(error);

/** What a process ends with that was killed, for want of memory most likely. */
export const killed = 128 + 9;
/** V8 aborts the process whose objects have no room. */
const aborted = 128 + 6;

export const endedOutOfMemory = ({ reason = '', exitCode }: Ending): boolean =>
  exitCode === killed || exitCode === aborted || /OutOfMemory/.test(reason);

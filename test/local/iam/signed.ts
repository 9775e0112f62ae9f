import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { python } from '../../python.ts';

export interface Signed {
  method: string;
  url: string;
  service: string;
  body?: string;
  headers?: Record<string, string>;
  /** Access key, secret and session token; left out, the request is not signed. */
  credentials?: string[];
  /** Where it is sent though it is signed for `url`. */
  sentTo?: string;
}

const run = promisify(execFile);

/** Sends requests that botocore has signed. */
export async function sendSigned(requests: Signed[]): Promise<[status: number, body: Record<string, unknown>][]> {
  const child = run(python, [join(import.meta.dirname, 'signed.py')]);
  child.child.stdin!.end(JSON.stringify(requests));
  return JSON.parse((await child).stdout);
}

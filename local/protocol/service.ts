/** An AWS service as the laptop cloud offers it: its operations by name, whatever protocol a client speaks. */
import type { JsonObject } from '../template/intrinsics.ts';

/** Output may hold `Date`s; each protocol writes them its own way. */
export type Output = { [key: string]: unknown };

export type Operations = Record<string, (input: JsonObject, signal: AbortSignal) => Output | Promise<Output>>;

/** An error as the service itself names it. */
export class ServiceError extends Error {
  readonly code: string;
  readonly status: number;

  constructor(code: string, message: string, status = 400) {
    super(message);
    this.code = code;
    this.status = status;
  }
}

/** A field that must be there. @throws ServiceError ValidationException */
export function text(input: JsonObject, name: string): string {
  const value = input[name];
  if (typeof value === 'string' && value !== '') return value;
  throw new ServiceError('ValidationException', `${name} is required and must be a string.`);
}

/** One page of a list, by AWS's `maxResults` and an opaque token. */
export function page<T>(items: readonly T[], limit: number | undefined, token: string | undefined): { items: T[]; next?: string } {
  const start = token ? Number(Buffer.from(token, 'base64url').toString()) : 0;
  if (!Number.isInteger(start) || start < 0) throw new ServiceError('InvalidToken', `'${token}' is not a token from this list.`);
  const end = start + (limit || 100);
  return { items: items.slice(start, end), ...(end < items.length && { next: Buffer.from(String(end)).toString('base64url') }) };
}

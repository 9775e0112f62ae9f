/**
 * Every error that a user can see: its code, its HTTP status and what it means. The list is written here once; the OpenAPI
 * document and docs/errors.md are made from it.
 */
export const errorCodes = {
  InvalidRequest: { status: 400, meaning: 'The request cannot be read or does not have the shape that the call expects.' },
  InvalidRow: { status: 400, meaning: 'A row to predict lacks a feature, has one too many, or has a value of the wrong type.' },
  InvalidSpec: { status: 400, meaning: 'dataset.json is not valid JSON or does not follow the schema.' },
  InvalidName: { status: 400, meaning: 'A dataset, model, alias or file name has characters that are not allowed.' },
  EmptyDataset: { status: 422, meaning: 'The file has no rows (or no readable rows) to learn from.' },
  UnreadableDataset: { status: 422, meaning: 'The file cannot be read as the format that its name or content says.' },
  UnusableTarget: { status: 422, meaning: 'The target column is missing, empty, or has a single value.' },
  NoFeatures: { status: 422, meaning: 'No column is left to learn from.' },
  Forbidden: { status: 403, meaning: 'The API key is missing or wrong.' },
  NotFound: { status: 404, meaning: 'There is no such path, model, version, alias, run or dataset.' },
  MethodNotAllowed: { status: 405, meaning: 'The path exists, but not with this method.' },
  Conflict: { status: 409, meaning: 'Somebody else changed the object first, or it is in the wrong state.' },
  PreconditionFailed: { status: 412, meaning: 'If-Match names an older state of the object.' },
  PayloadTooLarge: { status: 413, meaning: 'The body is larger than the service takes in one request.' },
  UnsupportedMediaType: { status: 415, meaning: 'The Content-Type is not one that the call reads.' },
  TooManyRequests: { status: 429, meaning: 'The key has used up its rate or quota for now.' },
  ParityFailed: { status: 500, meaning: 'The exported graph answered otherwise than the trained model; the version was not registered.' },
  Internal: { status: 500, meaning: 'A defect in Ingot.' },
  Unavailable: { status: 503, meaning: 'The service is starting or a part of it does not answer.' },
} as const;

export type ErrorCode = keyof typeof errorCodes;

/** The body of every error answer: `{"error": …}`. */
export interface ErrorBody {
  code: ErrorCode;
  message: string;
  /** Where it is wrong: file, line, column, field path. */
  where?: string;
  /** What the user can do about it. */
  fix?: string;
}

/** An error in the user's words. Its `name` is its code, so that Step Functions and Lambda report the code as the error type. */
export class IngotError extends Error {
  readonly code: ErrorCode;
  readonly where: string | undefined;
  readonly fix: string | undefined;

  constructor(code: ErrorCode, message: string, details: { where?: string; fix?: string; cause?: unknown } = {}) {
    super(message, details.cause === undefined ? undefined : { cause: details.cause });
    this.name = code;
    this.code = code;
    this.where = details.where;
    this.fix = details.fix;
  }

  get status(): number {
    return errorCodes[this.code].status;
  }

  toBody(): ErrorBody {
    return {
      code: this.code,
      message: this.message,
      ...(this.where === undefined ? {} : { where: this.where }),
      ...(this.fix === undefined ? {} : { fix: this.fix }),
    };
  }
}

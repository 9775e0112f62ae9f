import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { createS3, type S3 } from '../../local/s3/s3.ts';

interface Started {
  name: string;
  input: string;
  startDate: number;
  status: string;
}

/** S3 (the laptop's) and as much of Step Functions and SNS as the functions call, on one port, as an emulator has them. */
export class AwsServer {
  readonly s3: S3;
  readonly endpoint: string;
  readonly executions = new Map<string, Started>();
  readonly messages: URLSearchParams[] = [];
  private readonly root: string;
  private readonly close: () => void;

  private constructor(root: string, s3: S3, endpoint: string, close: () => void) {
    this.root = root;
    this.s3 = s3;
    this.endpoint = endpoint;
    this.close = close;
  }

  static async start(buckets: string[]): Promise<AwsServer> {
    const root = await mkdtemp(join(tmpdir(), 'ingot-aws-'));
    const s3 = await createS3({ root });
    for (const bucket of buckets) await s3.createBucket(bucket, { versioned: true });
    const server = createServer((request, response) => void aws.answer(request, response));
    await once(server.listen(0, '127.0.0.1'), 'listening');
    const endpoint = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
    const aws = new AwsServer(root, s3, endpoint, () => {
      server.closeAllConnections();
      server.close();
    });
    return aws;
  }

  async stop(): Promise<void> {
    this.close();
    await this.s3.close();
    await rm(this.root, { recursive: true });
  }

  private async answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const target = String(request.headers['x-amz-target'] ?? '');
    if (target.startsWith('AWSStepFunctions.')) {
      const { status, body } = this.states(target.split('.')[1]!, JSON.parse(await text(request)));
      response.writeHead(status, { 'content-type': 'application/x-amz-json-1.0' }).end(JSON.stringify(body));
    } else if (String(request.headers.authorization).includes('/sns/')) {
      this.messages.push(new URLSearchParams(await text(request)));
      response
        .writeHead(200, { 'content-type': 'text/xml' })
        .end('<PublishResponse><PublishResult><MessageId>1</MessageId></PublishResult></PublishResponse>');
    } else await this.s3.handle(request, response);
  }

  private states(action: string, input: Record<string, string>): { status: number; body: object } {
    const name = input['name'] ?? input['executionArn']?.split(':').at(-1) ?? '';
    const execution = this.executions.get(name);
    const fault = (type: string) => ({ status: 400, body: { __type: `com.amazonaws.states#${type}`, message: name } });
    if (action === 'ListExecutions') return { status: 200, body: { executions: [...this.executions.values()].reverse() } };
    if (action === 'StartExecution') {
      if (execution) return fault('ExecutionAlreadyExists');
      const startDate = Date.now() / 1000;
      this.executions.set(name, { name, input: input['input']!, startDate, status: 'RUNNING' });
      return { status: 200, body: { executionArn: `${input['stateMachineArn']}:${name}`, startDate } };
    }
    if (!execution) return fault('ExecutionDoesNotExist');
    if (action === 'StopExecution') execution.status = 'ABORTED';
    return { status: 200, body: execution };
  }
}

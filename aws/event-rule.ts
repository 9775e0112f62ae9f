/** A rule of EventBridge that is switched on and off: two calls, which are worth no client of their own. */
import type { Switch } from '../core/compute/batch.ts';
import { signedHeaders } from './signature.ts';

export class EventRule implements Switch {
  private readonly name: string;
  private readonly endpoint: string;

  /** @param endpoint EventBridge's in the partition and region; `AWS_ENDPOINT_URL` goes before it */
  constructor(name: string, endpoint: string) {
    this.name = name;
    this.endpoint = process.env['AWS_ENDPOINT_URL'] ?? endpoint;
  }

  on(): Promise<void> {
    return this.call('EnableRule');
  }

  off(): Promise<void> {
    return this.call('DisableRule');
  }

  private async call(operation: string): Promise<void> {
    const { AWS_ACCESS_KEY_ID: AccessKeyId = '', AWS_SECRET_ACCESS_KEY: SecretAccessKey = '', AWS_SESSION_TOKEN: Token } = process.env;
    const url = new URL('/', this.endpoint);
    const body = JSON.stringify({ Name: this.name });
    const about = { 'content-type': 'application/x-amz-json-1.1', 'x-amz-target': `AWSEvents.${operation}` };
    const credentials = { AccessKeyId, SecretAccessKey, Token };
    const headers = signedHeaders(credentials, url, 'events', process.env['AWS_REGION']!, body, about);
    const response = await fetch(url, { method: 'POST', headers, body });
    if (!response.ok) throw new Error(`EventBridge answers ${operation} of ${this.name} with ${response.status}: ${await response.text()}`);
  }
}

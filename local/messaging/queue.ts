/** SQS standard queues, one durable record a message. */
import { createHash, randomUUID } from 'node:crypto';
import { join } from 'node:path';
import { RecordDirectory } from '../home.ts';
import { type Operations, type Output, ServiceError, text } from '../protocol/service.ts';
import type { Json, JsonObject } from '../template/intrinsics.ts';

interface Message {
  id: string;
  body: string;
  attributes: JsonObject;
  sentAt: number;
  visibleAt: number;
  received: number;
  receipt?: string;
}

export interface QueueSettings {
  name: string;
  arn: string;
  url: string;
  visibilityMs: number;
  retentionMs: number;
  delayMs: number;
  waitMs: number;
  deadLetter?: { arn: string; maxReceives: number };
}

export class Queue {
  readonly settings: QueueSettings;
  readonly #messages = new Map<string, Message>();
  readonly #records: RecordDirectory<Message>;
  readonly #toDeadLetters: (arn: string, body: string) => Promise<void>;
  #arrived = Promise.withResolvers<void>();

  constructor(home: string, settings: QueueSettings, toDeadLetters: (arn: string, body: string) => Promise<void>) {
    this.settings = settings;
    this.#toDeadLetters = toDeadLetters;
    this.#records = new RecordDirectory(join(home, 'sqs', settings.name));
    for (const { id, record } of this.#records.all()) this.#messages.set(id, record);
  }

  async send(body: string, attributes: JsonObject = {}, delayMs = this.settings.delayMs): Promise<{ id: string; md5: string }> {
    const now = Date.now();
    const message: Message = { id: randomUUID(), body, attributes, sentAt: now, visibleAt: now + delayMs, received: 0 };
    await this.#records.put(message.id, message);
    this.#messages.set(message.id, message);
    this.#arrived.resolve();
    this.#arrived = Promise.withResolvers();
    return { id: message.id, md5: md5(body) };
  }

  /** Messages that can be received now; long polling waits for the first. */
  async receive(limit: number, visibilityMs: number, waitMs: number, signal: AbortSignal): Promise<Message[]> {
    const until = Date.now() + waitMs;
    for (;;) {
      const taken = await this.#take(limit, visibilityMs);
      const left = until - Date.now();
      if (taken.length > 0 || left <= 0 || signal.aborted) return taken;
      await Promise.race([this.#arrived.promise, new Promise((done) => setTimeout(done, Math.min(left, 500)).unref())]);
    }
  }

  async #take(limit: number, visibilityMs: number): Promise<Message[]> {
    const now = Date.now();
    const taken: Message[] = [];
    for (const message of this.#messages.values()) {
      if (taken.length === limit) break;
      if (now - message.sentAt > this.settings.retentionMs) {
        this.#forget(message);
      } else if (message.visibleAt <= now) {
        message.visibleAt = now + visibilityMs;
        message.received++;
        const { deadLetter } = this.settings;
        if (deadLetter && message.received > deadLetter.maxReceives) {
          await this.#toDeadLetters(deadLetter.arn, message.body);
          this.#forget(message);
          continue;
        }
        message.receipt = `${message.id}.${message.received}`;
        await this.#records.put(message.id, message);
        taken.push(message);
      }
    }
    return taken;
  }

  delete(receipt: string): void {
    const message = this.#messages.get(receipt.split('.')[0]!);
    if (message) this.#forget(message);
  }

  async changeVisibility(receipt: string, ms: number): Promise<void> {
    const message = this.#messages.get(receipt.split('.')[0]!);
    if (!message) throw new ServiceError('ReceiptHandleIsInvalid', 'There is no message with this receipt handle.');
    message.visibleAt = Date.now() + ms;
    await this.#records.put(message.id, message);
  }

  purge(): void {
    for (const message of this.#messages.values()) this.#forget(message);
  }

  /** The depth that CloudWatch and GetQueueAttributes tell. */
  count(): { visible: number; inFlight: number; delayed: number } {
    const now = Date.now();
    const all = [...this.#messages.values()];
    const hidden = all.filter((message) => message.visibleAt > now);
    const delayed = hidden.filter((message) => message.received === 0).length;
    return { visible: all.length - hidden.length, inFlight: hidden.length - delayed, delayed };
  }

  #forget(message: Message): void {
    this.#messages.delete(message.id);
    this.#records.remove(message.id);
  }
}

const md5 = (body: string) => createHash('md5').update(body).digest('hex');

/** SQS's operations over a set of queues by name. */
export function queueOperations(queues: ReadonlyMap<string, Queue>): Operations {
  const find = (input: JsonObject): Queue => {
    const queue = queues.get(text(input, 'QueueUrl').split('/').at(-1)!);
    if (!queue) throw new ServiceError('QueueDoesNotExist', 'The specified queue does not exist.');
    return queue;
  };
  const sendOne = async (queue: Queue, entry: JsonObject) => {
    const delay = entry['DelaySeconds'] === undefined ? undefined : Number(entry['DelaySeconds']) * 1000;
    const sent = await queue.send(text(entry, 'MessageBody'), (entry['MessageAttributes'] ?? {}) as JsonObject, delay);
    return { MessageId: sent.id, MD5OfMessageBody: sent.md5 };
  };
  const each = async (input: JsonObject, act: (entry: JsonObject) => Promise<Output>): Promise<Output> => {
    const Successful: Output[] = [];
    const Failed: Output[] = [];
    for (const entry of (input['Entries'] ?? []) as JsonObject[]) {
      try {
        Successful.push({ Id: entry['Id'], ...(await act(entry)) });
      } catch (error) {
        if (!(error instanceof ServiceError)) throw error;
        Failed.push({ Id: entry['Id'], SenderFault: true, Code: error.code, Message: error.message });
      }
    }
    return { Successful, Failed };
  };
  return {
    ListQueues: (input) => ({
      QueueUrls: [...queues.values()]
        .map((queue) => queue.settings)
        .flatMap(({ name, url }) => (name.startsWith(String(input['QueueNamePrefix'] ?? '')) ? [url] : [])),
    }),
    GetQueueUrl: (input) => ({ QueueUrl: find({ QueueUrl: text(input, 'QueueName') }).settings.url }),
    GetQueueAttributes: (input) => {
      const { settings, ...queue } = { settings: find(input).settings, ...find(input).count() };
      const wanted = new Set((input['AttributeNames'] ?? ['All']) as string[]);
      const attributes = {
        QueueArn: settings.arn,
        ApproximateNumberOfMessages: String(queue.visible),
        ApproximateNumberOfMessagesNotVisible: String(queue.inFlight),
        ApproximateNumberOfMessagesDelayed: String(queue.delayed),
        VisibilityTimeout: String(settings.visibilityMs / 1000),
        MessageRetentionPeriod: String(settings.retentionMs / 1000),
      };
      return { Attributes: Object.fromEntries(Object.entries(attributes).filter(([name]) => wanted.has('All') || wanted.has(name))) };
    },
    SendMessage: (input) => sendOne(find(input), input),
    SendMessageBatch: (input) => each(input, (entry) => sendOne(find(input), entry)),
    ReceiveMessage: async (input, signal) => {
      const queue = find(input);
      const seconds = (name: string, fallback: number) => (input[name] === undefined ? fallback : Number(input[name]) * 1000);
      const limit = Number(input['MaxNumberOfMessages'] ?? 1);
      const { visibilityMs, waitMs } = queue.settings;
      const messages = await queue.receive(limit, seconds('VisibilityTimeout', visibilityMs), seconds('WaitTimeSeconds', waitMs), signal);
      return messages.length === 0 ? {} : { Messages: messages.map(describe) };
    },
    DeleteMessage: (input) => {
      find(input).delete(text(input, 'ReceiptHandle'));
      return {};
    },
    DeleteMessageBatch: (input) =>
      each(input, async (entry) => {
        find(input).delete(text(entry, 'ReceiptHandle'));
        return {};
      }),
    ChangeMessageVisibility: async (input) => {
      await find(input).changeVisibility(text(input, 'ReceiptHandle'), Number(input['VisibilityTimeout']) * 1000);
      return {};
    },
    PurgeQueue: (input) => {
      find(input).purge();
      return {};
    },
  };
}

function describe(message: Message): Output {
  return {
    MessageId: message.id,
    ReceiptHandle: message.receipt,
    Body: message.body,
    MD5OfBody: md5(message.body),
    Attributes: { SentTimestamp: String(message.sentAt), ApproximateReceiveCount: String(message.received) },
    ...(Object.keys(message.attributes).length > 0 && { MessageAttributes: message.attributes as Json }),
  };
}

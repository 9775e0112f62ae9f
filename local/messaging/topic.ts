/** SNS topics. What is published also goes to a file a topic, where somebody without a mailbox on the laptop can read it. */
import { randomUUID } from 'node:crypto';
import { appendFileSync, mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { type Operations, ServiceError, text } from '../protocol/service.ts';
import { accountId, region } from '../template/template.ts';

export interface Subscription {
  arn: string;
  topic: string;
  protocol: string;
  endpoint: string;
  raw: boolean;
}

/** `email` is taken and goes to the topic's file alone. */
export const subscriptionProtocols = ['sqs', 'lambda', 'email', 'email-json'];

export class Topics {
  readonly #topics = new Map<string, { arn: string; log: string }>();
  readonly subscriptions: Subscription[] = [];
  readonly #directory: string;
  readonly #deliver: (arn: string, text: string) => Promise<void>;

  constructor(home: string, deliver: (arn: string, text: string) => Promise<void>) {
    this.#directory = join(home, 'sns');
    this.#deliver = deliver;
    mkdirSync(this.#directory, { recursive: true });
  }

  create(name: string): string {
    const arn = `arn:aws:sns:${region}:${accountId}:${name}`;
    this.#topics.set(arn, { arn, log: join(this.#directory, `${name}.jsonl`) });
    return arn;
  }

  subscribe(topic: string, protocol: string, endpoint: string, raw = false): string {
    if (!subscriptionProtocols.includes(protocol)) {
      throw new ServiceError(
        'InvalidParameter',
        `The laptop cloud has no ${protocol} subscriptions, only ${subscriptionProtocols.join(', ')}.`,
      );
    }
    const arn = `${topic}:${randomUUID()}`;
    this.subscriptions.push({ arn, topic, protocol, endpoint, raw });
    return arn;
  }

  /** @returns the message's id, when all subscribers' queues hold it. */
  async publish(topicArn: string, message: string, subject?: string): Promise<string> {
    const topic = this.#topics.get(topicArn);
    if (!topic) throw new ServiceError('NotFound', 'Topic does not exist', 404);
    const MessageId = randomUUID();
    const notification = {
      Type: 'Notification',
      MessageId,
      TopicArn: topicArn,
      ...(subject && { Subject: subject }),
      Message: message,
      Timestamp: new Date().toISOString(),
    };
    appendFileSync(topic.log, `${JSON.stringify(notification)}\n`);
    for (const subscription of this.subscriptions.filter(({ topic }) => topic === topicArn)) {
      if (subscription.protocol === 'sqs') {
        await this.#deliver(subscription.endpoint, subscription.raw ? message : JSON.stringify(notification));
      } else if (subscription.protocol === 'lambda') {
        const record = { EventSource: 'aws:sns', EventVersion: '1.0', EventSubscriptionArn: subscription.arn, Sns: notification };
        await this.#deliver(subscription.endpoint, JSON.stringify({ Records: [record] }));
      }
    }
    return MessageId;
  }

  operations(): Operations {
    return {
      ListTopics: () => ({ Topics: [...this.#topics.keys()].map((TopicArn) => ({ TopicArn })) }),
      GetTopicAttributes: (input) => ({ Attributes: [{ key: 'TopicArn', value: text(input, 'TopicArn') }] }),
      ListSubscriptionsByTopic: (input) => ({
        Subscriptions: this.subscriptions
          .filter(({ topic }) => topic === input['TopicArn'])
          .map(({ arn, topic, protocol, endpoint }) => ({
            SubscriptionArn: arn,
            Owner: accountId,
            Protocol: protocol,
            Endpoint: endpoint,
            TopicArn: topic,
          })),
      }),
      Subscribe: (input) => ({
        SubscriptionArn: this.subscribe(text(input, 'TopicArn'), text(input, 'Protocol'), text(input, 'Endpoint')),
      }),
      Publish: async (input) => ({
        MessageId: await this.publish(text(input, 'TopicArn'), text(input, 'Message'), input['Subject'] as string | undefined),
      }),
    };
  }
}

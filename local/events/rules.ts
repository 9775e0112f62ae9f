/** EventBridge's default bus: rules that hand events of Batch to functions, and rules with a clock. */
import { randomUUID } from 'node:crypto';
import { complain } from '../complain.ts';
import { type Operations, ServiceError, text } from '../protocol/service.ts';
import type { Json, JsonObject } from '../template/intrinsics.ts';
import { accountId, region } from '../template/template.ts';
import { matches } from './pattern.ts';

export interface RuleSettings {
  name: string;
  arn: string;
  pattern?: JsonObject;
  /** Of its clock. */
  everyMs?: number;
  schedule?: string;
  /** ARNs. */
  targets: string[];
}

interface Rule {
  settings: RuleSettings;
  enabled: boolean;
  clock?: NodeJS.Timeout;
}

export class Rules {
  readonly #rules = new Map<string, Rule>();
  readonly #deliver: (arn: string, text: string) => Promise<void>;
  #running = false;

  constructor(deliver: (arn: string, text: string) => Promise<void>) {
    this.#deliver = deliver;
  }

  add(settings: RuleSettings, enabled: boolean): void {
    this.#rules.set(settings.name, { settings, enabled });
  }

  all(): RuleSettings[] {
    return [...this.#rules.values()].map(({ settings }) => settings);
  }

  /** Starts the clocks of those that are enabled. */
  resume(): void {
    this.#running = true;
    for (const rule of this.#rules.values()) this.#wind(rule);
  }

  close(): void {
    this.#running = false;
    for (const { clock } of this.#rules.values()) clearInterval(clock);
  }

  /** What has happened, to all rules that ask for it. */
  publish(source: string, detailType: string, resources: string[], detail: JsonObject): void {
    const event = eventOf(source, detailType, resources, detail);
    for (const { settings, enabled } of this.#rules.values()) {
      if (enabled && settings.pattern && matches(settings.pattern, event)) this.#send(settings, event);
    }
  }

  operations(): Operations {
    const find = (input: JsonObject): Rule => {
      const rule = this.#rules.get(text(input, 'Name'));
      if (!rule) throw new ServiceError('ResourceNotFoundException', `Rule ${text(input, 'Name')} does not exist on EventBus default.`);
      return rule;
    };
    const set = (enabled: boolean) => (input: JsonObject) => {
      const rule = find(input);
      rule.enabled = enabled;
      this.#wind(rule);
      return {};
    };
    const describe = ({ settings, enabled }: Rule) => ({
      Name: settings.name,
      Arn: settings.arn,
      State: enabled ? 'ENABLED' : 'DISABLED',
      EventBusName: 'default',
      ...(settings.pattern && { EventPattern: JSON.stringify(settings.pattern) }),
      ...(settings.schedule && { ScheduleExpression: settings.schedule }),
    });
    return {
      EnableRule: set(true),
      DisableRule: set(false),
      DescribeRule: (input) => describe(find(input)),
      ListRules: () => ({ Rules: [...this.#rules.values()].map(describe) }),
    };
  }

  #wind(rule: Rule): void {
    const { settings, enabled } = rule;
    if (settings.everyMs === undefined || !this.#running) return;
    if (enabled && !rule.clock) {
      const tick = () => this.#send(settings, eventOf('aws.events', 'Scheduled Event', [settings.arn], {}));
      rule.clock = setInterval(tick, settings.everyMs).unref();
    } else if (!enabled) {
      clearInterval(rule.clock);
      delete rule.clock;
    }
  }

  #send({ targets }: RuleSettings, event: JsonObject): void {
    for (const target of targets) this.#deliver(target, JSON.stringify(event)).catch(complain);
  }
}

function eventOf(source: string, detailType: string, resources: string[], detail: JsonObject): JsonObject {
  const time = `${new Date().toISOString().slice(0, 19)}Z`;
  return {
    version: '0',
    id: randomUUID(),
    'detail-type': detailType,
    source,
    account: accountId,
    time,
    region,
    resources,
    detail: detail as Json,
  };
}

/** Milliseconds of `rate(<n> <unit>)`; undefined for what is none. */
export function rateMs(expression: string): number | undefined {
  const [, count, unit] = /^rate\((\d+) (minute|hour|day)s?\)$/.exec(expression) ?? [];
  return count === undefined
    ? undefined
    : Number(count) * { minute: 60_000, hour: 3600_000, day: 86_400_000 }[unit as 'minute' | 'hour' | 'day'];
}

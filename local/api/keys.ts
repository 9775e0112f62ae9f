/** API keys and usage plans: who may call which stage, how often at once and how often a month. */
import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import { readText, writeDurablySync } from '../home.ts';

export interface ApiKey {
  id: string;
  name: string;
  value: string;
  enabled: boolean;
}

export interface UsagePlan {
  id: string;
  /** `<api id>/<stage>` */
  stages: Set<string>;
  throttle?: { rate: number; burst: number };
  quota?: { limit: number; period: 'DAY' | 'WEEK' | 'MONTH' };
}

/** A token bucket: `rate` a second, `burst` at most. */
export class TokenBucket {
  readonly #rate: number;
  readonly #burst: number;
  #tokens: number;
  #at = performance.now();

  constructor(rate: number, burst: number) {
    this.#rate = rate;
    this.#burst = burst;
    this.#tokens = burst;
  }

  take(): boolean {
    const now = performance.now();
    this.#tokens = Math.min(this.#burst, this.#tokens + ((now - this.#at) / 1000) * this.#rate);
    this.#at = now;
    if (this.#tokens < 1) return false;
    this.#tokens--;
    return true;
  }
}

interface Use {
  period: string;
  count: number;
}

interface Saved {
  values: Record<string, string>;
  used: Record<string, Use>;
}

interface Grant {
  key: ApiKey;
  plan: UsagePlan;
  bucket: TokenBucket | undefined;
  use: Use;
}

export type Admission = { key: ApiKey } | 'INVALID_API_KEY' | 'THROTTLED' | 'QUOTA_EXCEEDED';

export class ApiKeys {
  readonly #path: string;
  readonly #saved: Saved;
  readonly keys = new Map<string, ApiKey>();
  readonly #grants = new Map<string, Grant[]>();

  constructor(home: string) {
    this.#path = join(home, 'api-keys.json');
    this.#saved = JSON.parse(readText(this.#path) ?? '{"values":{},"used":{}}') as Saved;
  }

  /** A key keeps its value over restarts. */
  create(id: string, name: string, enabled: boolean, value?: string): ApiKey {
    this.#saved.values[id] ??= value ?? randomBytes(30).toString('base64url');
    const key = { id, name, enabled, value: value ?? this.#saved.values[id] };
    this.keys.set(id, key);
    this.save();
    return key;
  }

  grant(key: ApiKey, plan: UsagePlan): void {
    const { throttle } = plan;
    this.#saved.used[key.id] ??= { period: '', count: 0 };
    const grant: Grant = {
      key,
      plan,
      bucket: throttle && new TokenBucket(throttle.rate, throttle.burst),
      use: this.#saved.used[key.id]!,
    };
    this.#grants.set(key.value, [...(this.#grants.get(key.value) ?? []), grant]);
  }

  /** Whether a request with this key may pass to the stage, and counts it. */
  admit(value: string | undefined, stage: string): Admission {
    const grant = value === undefined ? undefined : this.#grants.get(value)?.find(({ plan }) => plan.stages.has(stage));
    if (!grant?.key.enabled) return 'INVALID_API_KEY';
    if (grant.bucket && !grant.bucket.take()) return 'THROTTLED';
    const { quota } = grant.plan;
    if (quota) {
      const period = periodOf(quota.period);
      if (grant.use.period !== period) Object.assign(grant.use, { period, count: 0 });
      if (grant.use.count >= quota.limit) return 'QUOTA_EXCEEDED';
      grant.use.count++;
    }
    return grant;
  }

  /** Key values and what of the quotas is used; the latter only now and then, a crash forgives some. */
  save(): void {
    writeDurablySync(this.#path, JSON.stringify(this.#saved, null, 1));
  }
}

let today = { checkedAt: Number.NEGATIVE_INFINITY, day: '', week: '', month: '' };

/** The name of the running day, week or month; looked up once a second. */
function periodOf(period: 'DAY' | 'WEEK' | 'MONTH'): string {
  const at = performance.now();
  if (at - today.checkedAt > 1000) {
    const now = new Date();
    const day = now.toISOString().slice(0, 10);
    const week = String(Math.floor(now.getTime() / (7 * 24 * 3600_000)));
    today = { checkedAt: at, day, week, month: day.slice(0, 7) };
  }
  return { DAY: today.day, WEEK: today.week, MONTH: today.month }[period];
}

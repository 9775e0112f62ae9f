/**
 * Fair shares: whose turn it is among those who use a queue. A share's usage is the vCPU seconds of its jobs, weighing less the longer they are
 * over, times its weight factor; the share with the least usage is next.
 */

export interface FairSharePolicy {
  shareDecaySeconds: number;
  /** Per cent, 0 to 99, of which a power is held back for shares that use nothing yet. */
  computeReservation: number;
  shareDistribution: { shareIdentifier: string; weightFactor: number }[];
}

export interface SchedulingPolicy {
  name: string;
  arn: string;
  fairsharePolicy: FairSharePolicy;
  tags: Record<string, string>;
}

/** AWS's, where the policy says 0. */
const shortestDecaySeconds = 600;

/** What a job counts for as soon as it starts, so that two that start at once are not given to one share. */
const leastSeconds = 1;

interface Share {
  /** vCPU seconds of jobs that are over, as they weigh at `at`. */
  past: number;
  at: number;
  running: Map<object, { vcpus: number; startedAt: number }>;
}

export class Shares {
  readonly policy: () => FairSharePolicy;
  readonly #shares = new Map<string, Share>();

  constructor(policy: () => FairSharePolicy) {
    this.policy = policy;
  }

  started(identifier: string, job: object, vcpus: number, now: number): void {
    this.#share(identifier, now).running.set(job, { vcpus, startedAt: now });
  }

  ended(identifier: string, job: object, now: number): void {
    const share = this.#share(identifier, now);
    const ran = share.running.get(job);
    if (!ran) return;
    share.running.delete(job);
    share.past = this.#decayed(share, now) + vcpuSeconds(ran, now);
    share.at = now;
  }

  /** Usage times weight factor. */
  weigh(identifier: string, now: number): number {
    const share = this.#shares.get(identifier);
    if (!share) return 0;
    let usage = this.#decayed(share, now);
    for (const ran of share.running.values()) usage += vcpuSeconds(ran, now);
    return usage * this.#weightFactor(identifier);
  }

  /** How many of `vcpus` are held back for shares that have nothing running. */
  reserved(vcpus: number): number {
    const active = [...this.#shares.values()].filter(({ running }) => running.size > 0).length;
    const { computeReservation } = this.policy();
    return computeReservation > 0 && active > 0 ? vcpus * (computeReservation / 100) ** active : 0;
  }

  isActive(identifier: string): boolean {
    return (this.#shares.get(identifier)?.running.size ?? 0) > 0;
  }

  #share(identifier: string, now: number): Share {
    const share = this.#shares.get(identifier) ?? { past: 0, at: now, running: new Map() };
    this.#shares.set(identifier, share);
    return share;
  }

  #decayed({ past, at }: Share, now: number): number {
    const seconds = this.policy().shareDecaySeconds || shortestDecaySeconds;
    return past * Math.exp(-(now - at) / 1000 / seconds);
  }

  /** By its whole name, or else by the longest beginning that ends in a star. */
  #weightFactor(identifier: string): number {
    let best = { reach: -1, weightFactor: 1 };
    for (const { shareIdentifier: name, weightFactor } of this.policy().shareDistribution) {
      const isBeginning = name.endsWith('*');
      const fits = isBeginning ? identifier.startsWith(name.slice(0, -1)) : identifier === name;
      const reach = isBeginning ? name.length - 1 : Number.POSITIVE_INFINITY;
      if (fits && reach > best.reach) best = { reach, weightFactor };
    }
    return best.weightFactor;
  }
}

function vcpuSeconds({ vcpus, startedAt }: { vcpus: number; startedAt: number }, now: number): number {
  return vcpus * Math.max(leastSeconds, (now - startedAt) / 1000);
}

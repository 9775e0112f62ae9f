/** Compute environments: how much of this machine the jobs of one may use, and what happens to those on spot machines. */
import type { Json } from '../template/intrinsics.ts';
import { type Job, vcpusOf } from './job.ts';

/** The processors of this machine that jobs share, whatever their environment. */
export class Machine {
  readonly vcpus: number;
  #used = 0;

  constructor(vcpus: number) {
    this.vcpus = vcpus;
  }

  get free(): number {
    return this.vcpus - this.#used;
  }

  /** What a job counts for here: one that asks for more than there is gets all of it. */
  shareOf(job: Job): number {
    return Math.min(vcpusOf(job.spec.container), this.vcpus);
  }

  take(vcpus: number): void {
    this.#used += vcpus;
  }
}

export interface EnvironmentSettings {
  name: string;
  arn: string;
  /** `FARGATE`, `FARGATE_SPOT`, `EC2` or `SPOT`. */
  type: string;
  state: 'ENABLED' | 'DISABLED';
  maxvCpus: number;
  serviceRole: string;
  tags: Record<string, string>;
  /** As the template has them. */
  computeResources: { [key: string]: Json | undefined };
}

export class ComputeEnvironment {
  readonly settings: EnvironmentSettings;
  readonly #machine: Machine;
  #used = 0;

  constructor(settings: EnvironmentSettings, machine: Machine) {
    this.settings = settings;
    this.#machine = machine;
  }

  get isSpot(): boolean {
    return this.settings.type.endsWith('SPOT');
  }

  get isFargate(): boolean {
    return this.settings.type.startsWith('FARGATE');
  }

  get used(): number {
    return this.#used;
  }

  /** Whether its machines are of the kind that a job is for. */
  isFor(job: Job): boolean {
    return job.spec.platformCapabilities.includes(this.isFargate ? 'FARGATE' : 'EC2');
  }

  isLargeEnough(job: Job): boolean {
    return vcpusOf(job.spec.container) <= this.settings.maxvCpus;
  }

  /** Whether it runs a job, once there is room. */
  takes(job: Job): boolean {
    return this.settings.state === 'ENABLED' && this.isFor(job) && this.isLargeEnough(job);
  }

  hasRoom(job: Job): boolean {
    const share = this.#machine.shareOf(job);
    return share <= this.settings.maxvCpus - this.#used && share <= this.#machine.free;
  }

  take(vcpus: number): void {
    this.#used += vcpus;
    this.#machine.take(vcpus);
  }

  /** What AWS writes where the machine under a job is gone. */
  lossReason(instance: string): string {
    return this.isFargate ? 'Your Spot Task was interrupted.' : `Host EC2 (instance ${instance}) terminated.`;
  }
}

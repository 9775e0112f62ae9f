/** Who is next: the first that came, or the first of the share that has the least of what is its due. */
import { type Job, type Priority, priorities } from './jobs.ts';

export interface Queue {
  push(job: Job): void;
  /** One that was interrupted is the next of its share. */
  pushBack(job: Job): void;
  take(): Job | undefined;
  /** Its place is free again. */
  release(job: Job): void;
}

/** Taken from the front, put back there now and then. */
class Line {
  private readonly returned: Job[] = [];
  private readonly jobs: Job[] = [];
  private head = 0;

  get length(): number {
    return this.returned.length + this.jobs.length - this.head;
  }

  push(job: Job): void {
    this.jobs.push(job);
  }

  pushBack(job: Job): void {
    this.returned.push(job);
  }

  take(): Job | undefined {
    return this.returned.pop() ?? this.jobs[this.head++];
  }
}

export class FirstInFirstOut implements Queue {
  private readonly line = new Line();

  push(job: Job): void {
    this.line.push(job);
  }

  pushBack(job: Job): void {
    this.line.pushBack(job);
  }

  take(): Job | undefined {
    return this.line.length > 0 ? this.line.take() : undefined;
  }

  release(): void {}
}

/** Weights of the shares: of places that all want, an urgent job gets 16 where one of least priority gets 1. */
const weights: Record<Priority, number> = { urgent: 16, normal: 3, whenever: 1 };

/** Places are given to the share whose places, by its weight, are the fewest; so no share that waits gets less than its part. */
export class FairShare implements Queue {
  private readonly lines: Record<Priority, Line> = { urgent: new Line(), normal: new Line(), whenever: new Line() };
  private readonly running: Record<Priority, number> = { urgent: 0, normal: 0, whenever: 0 };

  push(job: Job): void {
    this.lines[job.priority].push(job);
  }

  pushBack(job: Job): void {
    this.lines[job.priority].pushBack(job);
  }

  take(): Job | undefined {
    let next: Priority | undefined;
    for (const priority of priorities)
      if (this.lines[priority].length > 0 && (next === undefined || this.due(priority) < this.due(next))) next = priority;
    if (next === undefined) return undefined;
    this.running[next]++;
    return this.lines[next].take();
  }

  release(job: Job): void {
    this.running[job.priority]--;
  }

  private due(priority: Priority): number {
    return (this.running[priority] + 1) / weights[priority];
  }
}

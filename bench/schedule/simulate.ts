/** Discrete events: jobs are sent, get places, are interrupted, go on from their checkpoint, and end. */
import { defaultLane } from '../../core/compute/lane.ts';
import { Random } from '../../core/random.ts';
import { Heap } from './heap.ts';
import { type Job, type Priority, priorities } from './jobs.ts';
import type { Queue } from './queues.ts';

export interface Policy {
  queue: Queue;
  /** Places of two cores each, and the seconds from getting one to work. */
  places: number;
  startSeconds: number;
  /** Small jobs are functions. */
  functions: boolean;
  /** Places are spot ones. */
  spot: boolean;
  /** Dollars an hour of a place; while it is used, or all the time. */
  placeHour: number;
  always: boolean;
}

export interface Waiting {
  mean: number;
  p95: number;
  longest: number;
}

export interface Outcome {
  waiting: Record<Priority, Waiting>;
  dollars: number;
  /** Core hours that were done in vain, as a share of all. */
  lost: number;
  interruptions: number;
  jobsPerHour: number;
}

const coresOfPlace = 2;
/**
 * A job of more estimated core seconds is none for a function. A function starts at once but a second of it costs four times as much as one of a
 * spot place: for the urgent that is worth it longer.
 */
const functionWork: Record<Priority, number> = { urgent: 300, normal: 120, whenever: 60 };
const functionCores = 1.7;
const functionPlaces = 200;
const functionStart = 1.5;
const functionLimit = 900;
const functionSecond = (3008 / 1024) * defaultLane.prices.lambdaGigabyteSecond.arm64;
const checkpointSeconds = 60;
/** Fargate bills a minute at least. */
const leastBilled = 60;
/** A spot place is taken away once in so many hours; and twice a day a third of all are, at once. */
const hoursBetweenInterruptions = 15;
const hoursBetweenStorms = 12;
const stormShare = 0.33;

interface Running {
  job: Job;
  began: number;
  attempt: number;
}

type Event = { at: number } & (
  | { kind: 'sent'; job: Job }
  | { kind: 'end' | 'interrupted'; job: Job; attempt: number }
  | { kind: 'function'; job: Job; done: boolean }
  | { kind: 'storm' }
);

/** @param seed of the interruptions */
export function simulate(jobs: Job[], policy: Policy, seed: number): Outcome {
  const random = new Random(seed);
  const { queue } = policy;
  const events = new Heap<Event>((a, b) => a.at - b.at);
  const remaining = Float64Array.from(jobs, ({ work }) => work);
  const waited: Record<Priority, number[]> = { urgent: [], normal: [], whenever: [] };
  const running = new Map<number, Running>();
  const attempts = new Int32Array(jobs.length);
  const waitingFunctions: Job[] = [];
  let [free, freeFunctions, ended, dollars, lost, interruptions, now] = [policy.places, functionPlaces, 0, 0, 0, 0, 0];
  for (const job of jobs) events.push({ at: job.sent, kind: 'sent', job });
  if (policy.spot) events.push({ at: hoursBetweenStorms * 3600, kind: 'storm' });

  const bill = (began: number) => {
    if (!policy.always) dollars += (Math.max(leastBilled, now - began) / 3600) * policy.placeHour;
  };
  const finish = ({ priority, sent, work }: Job) => {
    // All the time in which it did not get on.
    waited[priority].push(now - sent - work / coresOfPlace);
    ended++;
  };
  const startFunctions = () => {
    while (freeFunctions > 0 && waitingFunctions.length > 0) {
      const job = waitingFunctions.shift()!;
      freeFunctions--;
      const seconds = job.work / functionCores;
      const done = seconds + functionStart <= functionLimit;
      const billed = done ? seconds + functionStart : functionLimit;
      dollars += billed * functionSecond;
      events.push({ at: now + billed, kind: 'function', job, done });
    }
  };
  const startPlaces = () => {
    while (free > 0) {
      const job = queue.take();
      if (!job) return;
      free--;
      const attempt = ++attempts[job.id]!;
      running.set(job.id, { job, began: now, attempt });
      const end = now + policy.startSeconds + remaining[job.id]! / coresOfPlace;
      const taken = policy.spot ? now - Math.log(1 - random.uniform()) * hoursBetweenInterruptions * 3600 : Number.POSITIVE_INFINITY;
      events.push(taken < end ? { at: taken, kind: 'interrupted', job, attempt } : { at: end, kind: 'end', job, attempt });
    }
  };
  const leave = ({ job, began }: Running) => {
    running.delete(job.id);
    bill(began);
    queue.release(job);
    free++;
  };
  const interrupt = (run: Running) => {
    const worked = Math.max(0, now - run.began - policy.startSeconds);
    const kept = Math.floor(worked / checkpointSeconds) * checkpointSeconds;
    remaining[run.job.id]! -= kept * coresOfPlace;
    lost += (worked - kept) * coresOfPlace;
    interruptions++;
    leave(run);
    queue.pushBack(run.job);
  };

  for (let event = events.pop(); event && ended < jobs.length; event = events.pop()) {
    now = event.at;
    if (event.kind === 'sent') {
      if (policy.functions && event.job.estimated <= functionWork[event.job.priority]) waitingFunctions.push(event.job);
      else queue.push(event.job);
    } else if (event.kind === 'function') {
      freeFunctions++;
      if (event.done) finish(event.job);
      else {
        lost += functionLimit * functionCores;
        queue.push(event.job);
      }
    } else if (event.kind === 'storm') {
      for (const run of [...running.values()]) if (random.uniform() < stormShare) interrupt(run);
      events.push({ at: now + hoursBetweenStorms * 3600, kind: 'storm' });
    } else {
      const run = running.get(event.job.id);
      if (run?.attempt === event.attempt) {
        if (event.kind === 'interrupted') interrupt(run);
        else {
          leave(run);
          finish(run.job);
        }
      }
    }
    startFunctions();
    startPlaces();
  }
  if (policy.always) dollars = (now / 3600) * policy.places * policy.placeHour;
  const total = jobs.reduce((sum, { work }) => sum + work, 0);
  return {
    waiting: Object.fromEntries(priorities.map((priority) => [priority, summary(waited[priority])])) as Outcome['waiting'],
    dollars,
    lost: lost / total,
    interruptions,
    jobsPerHour: ended / (now / 3600),
  };
}

function summary(values: number[]): Waiting {
  const sorted = Float64Array.from(values).sort();
  return {
    mean: values.reduce((sum, value) => sum + value, 0) / values.length,
    p95: sorted[Math.ceil(0.95 * sorted.length) - 1]!,
    longest: sorted.at(-1)!,
  };
}

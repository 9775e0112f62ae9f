/**
 * A hundred thousand jobs on lanes with fair shares and spot places, against first-in-first-out on as many places at the on-demand price, and
 * against one fixed machine. Seeded and simulated: the figures are those of the model in schedule/simulate.ts, not of AWS. The ratio is how
 * many times longer the urgent wait (95th percentile) first in first out.
 */
import type { Result } from './alternate.ts';
import { drawJobs } from './schedule/jobs.ts';
import { FairShare, FirstInFirstOut } from './schedule/queues.ts';
import { type Outcome, type Policy, simulate } from './schedule/simulate.ts';

const count = 100_000;
const places = 80;
/** Fargate on ARM in us-east-1, 2025-06: two cores and 8 GB; spot prices move, 65 % off is a middle of what is published. */
const onDemandHour = 2 * 0.032_38 + 8 * 0.003_56;
const spotHour = 0.35 * onDemandHour;
/** A c7g core hour, of a machine with as many cores that is never off. */
const machineHour = 2 * 0.0363;
/** Seconds until a container runs. */
const startSeconds = 40;
/** Shares of the places that the jobs need, on average. */
const loads = [0.6, 0.8, 0.9];

const policies = {
  lanes: (): Policy => ({ queue: new FairShare(), places, startSeconds, functions: true, spot: true, placeHour: spotHour, always: false }),
  firstInFirstOut: (): Policy => ({
    queue: new FirstInFirstOut(),
    places,
    startSeconds,
    functions: false,
    spot: false,
    placeHour: onDemandHour,
    always: false,
  }),
  machine: (): Policy => ({
    queue: new FirstInFirstOut(),
    places,
    startSeconds: 0,
    functions: false,
    spot: false,
    placeHour: machineHour,
    always: true,
  }),
};

export default async function schedule(): Promise<Result> {
  const meanWork = drawJobs(count, 1000, 1).reduce((sum, { work }) => sum + work, 0) / count;
  const byLoad = loads.map((load) => {
    const jobs = drawJobs(count, (load * places * 2 * 3600) / meanWork, 1);
    const outcomes = Object.fromEntries(Object.entries(policies).map(([name, policy]) => [name, simulate(jobs, policy(), 2)])) as Record<
      keyof typeof policies,
      Outcome
    >;
    const { lanes, firstInFirstOut } = outcomes;
    return {
      load,
      urgent: firstInFirstOut.waiting.urgent.p95 / lanes.waiting.urgent.p95,
      dollars: lanes.dollars / firstInFirstOut.dollars,
      throughput: lanes.jobsPerHour / firstInFirstOut.jobsPerHour,
      outcomes,
    };
  });
  const middle = byLoad[1]!;
  return {
    bench: 'schedule',
    ratio: middle.urgent,
    ours: middle.outcomes.lanes.waiting.urgent.p95,
    rival: middle.outcomes.firstInFirstOut.waiting.urgent.p95,
    unit: 's, 95th percentile of waiting of urgent jobs',
    same_work: Math.abs(middle.throughput - 1) < 0.02,
    dollars_ratio: middle.dollars,
    jobs: count,
    byLoad,
  };
}

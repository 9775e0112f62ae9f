/** Jobs as ten teams might send them: arrivals in a daily wave with bursts, many small ones, a few very large. */
import { Random } from '../../core/random.ts';

export const priorities = ['urgent', 'normal', 'whenever'] as const;
export type Priority = (typeof priorities)[number];

export interface Job {
  id: number;
  /** Seconds from the beginning at which it is sent. */
  sent: number;
  /** Core seconds that it takes, and that the estimate says that it takes. */
  work: number;
  estimated: number;
  priority: Priority;
}

/** Standard deviations of the logarithm: of the sizes of jobs, and of the estimate's error (nine in ten within a factor of two). */
const sizeSpread = 1.6;
const errorSpread = 0.4;
const medianWork = 120;
/** A burst is one user who sends many datasets at once. */
const burstShare = 0.02;
const burstJobs = 40;

/** @param perHour how many are sent in an average hour */
export function drawJobs(count: number, perHour: number, seed: number): Job[] {
  const random = new Random(seed);
  const normal = () => Math.sqrt(-2 * Math.log(1 - random.uniform())) * Math.cos(2 * Math.PI * random.uniform());
  const jobs: Job[] = [];
  const eventsPerJob = 1 / (1 - burstShare + burstShare * burstJobs);
  let time = 0;
  while (jobs.length < count) {
    const wave = 1 + 0.5 * Math.sin((2 * Math.PI * time) / 86_400);
    time += (-Math.log(1 - random.uniform()) * 3600) / (perHour * eventsPerJob * wave);
    const draw = random.uniform();
    const priority = draw < 0.1 ? 'urgent' : draw < 0.7 ? 'normal' : 'whenever';
    // An urgent dataset comes alone.
    const together = priority !== 'urgent' && random.uniform() < burstShare ? burstJobs : 1;
    for (let i = 0; i < together && jobs.length < count; i++) {
      const work = medianWork * Math.exp(sizeSpread * normal());
      jobs.push({ id: jobs.length, sent: time, work, estimated: work * Math.exp(errorSpread * normal()), priority });
    }
  }
  return jobs;
}

/** What a process and those that it started use, as Linux tells it; nothing on other systems. */
import { readText } from '../home.ts';

export interface Usage {
  /** Seconds of processor time, so far. */
  cpuSeconds: number;
  /** MiB that it holds and cannot give back: what a container's limit is about, apart from files in the cache. */
  memoryMb: number;
}

/** Clock ticks of /proc a second; the same on every Linux that Node runs on. */
const ticksPerSecond = 100;

export function usageOf(pid: number): Usage | undefined {
  const stat = readText(`/proc/${pid}/stat`);
  const status = readText(`/proc/${pid}/status`);
  if (!stat || !status) return undefined;
  // The name in brackets may hold anything; utime, stime, cutime and cstime are fields 14 to 17 of proc(5)'s stat.
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  const ticks = fields.slice(11, 15).reduce((sum, field) => sum + Number(field), 0);
  const kilobytes = (name: string) => Number(new RegExp(`^${name}:\\s+(\\d+)`, 'm').exec(status)?.[1] ?? 0);
  const usage = { cpuSeconds: ticks / ticksPerSecond, memoryMb: (kilobytes('RssAnon') + kilobytes('RssShmem')) / 1024 };
  for (const child of (readText(`/proc/${pid}/task/${pid}/children`) ?? '').split(' ').filter(Boolean)) {
    const more = usageOf(Number(child));
    usage.cpuSeconds += more?.cpuSeconds ?? 0;
    usage.memoryMb += more?.memoryMb ?? 0;
  }
  return usage;
}

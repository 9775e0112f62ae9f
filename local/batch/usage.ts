/** What a process and those that it started hold of the memory, as Linux tells it; nothing on other systems. */
import { readText } from '../home.ts';

/** @returns MiB that they hold and cannot give back: what a container's limit is about, apart from files in the cache */
export function memoryHeld(pid: number): number | undefined {
  const status = readText(`/proc/${pid}/status`);
  if (!status) return undefined;
  const kilobytes = (name: string) => Number(new RegExp(`^${name}:\\s+(\\d+)`, 'm').exec(status)?.[1] ?? 0);
  const children = (readText(`/proc/${pid}/task/${pid}/children`) ?? '').split(' ').filter(Boolean);
  return children.reduce((sum, child) => sum + (memoryHeld(Number(child)) ?? 0), (kilobytes('RssAnon') + kilobytes('RssShmem')) / 1024);
}

/** What a job is told by its environment, and what it asks for. */
import type { JobSize } from '../core/compute/batch.ts';
import { environment, type JobStage } from '../core/names.ts';

/** As the state machine's task takes them; SubmitJob has them in camel case. */
export interface ContainerOverrides {
  Environment: { Name: string; Value: string }[];
  ResourceRequirements: { Type: 'VCPU' | 'MEMORY' | 'GPU'; Value: string }[];
}

/** Of a job's memory, what Node's own objects may use; tables and matrices lie beside them. */
const heapShare = 0.6;

export function overridesOf(stage: JobStage, event: object, { machines, vcpus, memory }: JobSize, mayGrow = false): ContainerOverrides {
  const variables = {
    [environment.jobStage]: stage,
    [environment.jobEvent]: JSON.stringify(event),
    [environment.jobMemory]: String(memory),
    [environment.jobVcpus]: String(vcpus),
    ...(mayGrow && { [environment.jobMayGrow]: 'yes' }),
    NODE_OPTIONS: `--max-old-space-size=${Math.floor(memory * heapShare)}`,
  };
  return {
    Environment: Object.entries(variables).map(([Name, Value]) => ({ Name, Value })),
    ResourceRequirements: [
      { Type: 'VCPU', Value: String(vcpus) },
      { Type: 'MEMORY', Value: String(memory) },
      ...(machines === 'gpu' ? [{ Type: 'GPU' as const, Value: '1' }] : []),
    ],
  };
}

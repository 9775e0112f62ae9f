/** What tests ask of a laptop's Batch, over its HTTP API. */
import { PutObjectCommand } from '@aws-sdk/client-s3';
import { callBatch, type Described, until } from '../local/batch.ts';
import type { Laptop } from './laptop.ts';

/** What is asked of a laptop here, one in this process too. */
type Target = Pick<Laptop, 's3'> & { outputs: Pick<Laptop['outputs'], 'DataBucket' | 'EndpointUrl'> };

const ofCloud = ({ outputs }: Target) => ({ url: outputs.EndpointUrl });

/** Uploads a table for the cpu lane: the spec first, so that the table starts one run, by it. */
export async function uploadToBatch(laptop: Target, dataset: string, csv: Uint8Array, spec: object = {}): Promise<void> {
  const put = (name: string, Body: Uint8Array | string) =>
    laptop.s3.send(new PutObjectCommand({ Bucket: laptop.outputs.DataBucket, Key: `raw/${dataset}/${name}`, Body }));
  await put('dataset.json', JSON.stringify({ lane: 'cpu', ...spec }));
  await put('data.csv', csv);
}

/** The jobs of all queues, arrays by their children. */
export async function jobsOf(laptop: Target): Promise<Described[]> {
  const cloud = ofCloud(laptop);
  const { jobQueues } = await callBatch<{ jobQueues: { jobQueueArn: string }[] }>(cloud, 'DescribeJobQueues', {});
  const found: Described[] = [];
  for (const { jobQueueArn } of jobQueues) {
    const filters = [{ name: 'AFTER_CREATED_AT', values: ['0'] }];
    const listed = await callBatch<{ jobSummaryList: { jobId: string; arrayProperties?: { size: number } }[] }>(cloud, 'ListJobs', {
      jobQueue: jobQueueArn,
      filters,
      maxResults: 1000,
    });
    const ids = listed.jobSummaryList.flatMap(({ jobId, arrayProperties }) =>
      arrayProperties ? Array.from({ length: arrayProperties.size }, (_, index) => `${jobId}:${index}`) : jobId,
    );
    for (let from = 0; from < ids.length; from += 100) {
      const { jobs } = await callBatch<{ jobs: Described[] }>(cloud, 'DescribeJobs', { jobs: ids.slice(from, from + 100) });
      found.push(...jobs);
    }
  }
  return found;
}

/** A job that keeps all of the machine to itself, in a share that nobody else uses. @returns what ends it */
export async function occupy(laptop: Target, vcpus: number): Promise<() => Promise<unknown>> {
  const cloud = ofCloud(laptop);
  const { jobQueues } = await callBatch<{ jobQueues: { jobQueueArn: string; jobQueueName: string }[] }>(cloud, 'DescribeJobQueues', {});
  const { jobDefinitions } = await callBatch<{ jobDefinitions: { jobDefinitionArn: string; platformCapabilities: string[] }[] }>(
    cloud,
    'DescribeJobDefinitions',
    { status: 'ACTIVE' },
  );
  const { jobId } = await callBatch<{ jobId: string }>(cloud, 'SubmitJob', {
    jobName: 'occupied',
    jobQueue: jobQueues.find(({ jobQueueName }) => /fargate/i.test(jobQueueName))!.jobQueueArn,
    jobDefinition: jobDefinitions.find(({ platformCapabilities }) => platformCapabilities.includes('FARGATE'))!.jobDefinitionArn,
    shareIdentifier: 'occupied',
    containerOverrides: {
      command: ['node', '-e', 'setTimeout(() => 0, 1e6)'],
      resourceRequirements: [{ type: 'VCPU', value: String(vcpus) }],
    },
  });
  await until(cloud, jobId, 'RUNNING');
  return () => callBatch(cloud, 'TerminateJob', { jobId, reason: 'The others may begin.' });
}

/** Gives life to a synthesized app: its template's resources, behind one port. */
import { mkdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import type { BatchSettings } from './batch/batch.ts';
import { Cloud, type CloudObserver } from './cloud.ts';
import { Front } from './front.ts';
import { lockHome, writeDurably } from './home.ts';
import { createResources } from './resources.ts';
import { readStack } from './template/template.ts';

export interface CloudOptions {
  /** The directory of the synthesized app, `cdk.out`, or what makes it: asked once home and port are ours. */
  assembly: string | (() => string);
  home: string;
  /** 0 for any free one. */
  port: number;
  observer?: CloudObserver;
  batch?: BatchSettings;
}

export interface RunningCloud {
  cloud: Cloud;
  url: string;
  /** What `outputs.json` holds. */
  outputs: Record<string, string>;
  close(): Promise<void>;
}

/**
 * Runs a synthesized app.
 * @throws IngotError Conflict where the home or the port is taken; InvalidRequest for a template that it cannot run.
 */
export async function startCloud({ assembly, home, port, observer, batch }: CloudOptions): Promise<RunningCloud> {
  mkdirSync(home, { recursive: true });
  const unlock = lockHome(home);
  // What a former process left says nothing of this one.
  const ready = join(home, 'outputs.json');
  rmSync(ready, { force: true });
  const front = new Front();
  let cloud: Cloud | undefined;
  const close = async () => {
    await front.close();
    await cloud?.close();
    rmSync(ready, { force: true });
    unlock();
  };
  try {
    const url = `http://127.0.0.1:${await front.listen(port)}`;
    const stack = readStack(typeof assembly === 'string' ? assembly : assembly());
    cloud = await Cloud.open(home, url, observer, batch);
    const outputs = await createResources(stack, cloud);
    const apiKey = cloud.keys.keys.get(outputs['ApiKeyId'] ?? '')?.value;
    const all: Record<string, string> = { ...outputs, ...(apiKey && { ApiKey: apiKey }), EndpointUrl: url };
    front.open(cloud, all['ConsoleUrl']);
    cloud.resume();
    await writeDurably(ready, `${JSON.stringify(all, null, 2)}\n`);
    return { cloud, url, outputs: all, close };
  } catch (error) {
    await close();
    throw error;
  }
}

/** The first release's stack, to be deployed by the CDK's command line. */
import { createHash } from 'node:crypto';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';

export interface Resource {
  Type: string;
  Properties?: Record<string, unknown>;
  DeletionPolicy?: string;
  UpdateReplacePolicy?: string;
}

export interface StackTemplate {
  Resources: Record<string, Resource>;
}

/** As the first release deployed it, of 25 November 2026: `stackOf()` at 25c19f4. It is in stacks that run, so it never changes. */
export const firstTemplate = (): StackTemplate =>
  JSON.parse(gunzipSync(readFileSync(new URL('first-release.template.json.gz', import.meta.url))).toString()) as StackTemplate;

/**
 * Makes the first release's stack of a cloud assembly of today's: its template, whose functions get today's code. Their own, of 100 MB, is not kept; what it
 * wrote is.
 */
export function becomeFirstStack(assembly: string): void {
  const [template, assets, manifest] = ['Ingot.template.json', 'Ingot.assets.json', 'manifest.json'].map((name) =>
    join(assembly, name),
  ) as [string, string, string];
  const today = readFileSync(template, 'utf8');
  const { Resources: resources } = JSON.parse(today) as StackTemplate;
  const first = firstTemplate();
  for (const [id, { Type, Properties = {} }] of Object.entries(first.Resources)) {
    const code = Type === 'AWS::Lambda::Function' && (Properties['Code'] as { S3Key?: string }).S3Key && resources[id]!.Properties!['Code'];
    if (code) Properties['Code'] = code;
  }
  const text = JSON.stringify(first);
  writeFileSync(template, text);
  const { files } = JSON.parse(readFileSync(assets, 'utf8')) as { files: Record<string, { source: { path: string } }> };
  const name = Object.keys(files).find((key) => files[key]!.source.path === 'Ingot.template.json')!;
  // A template is uploaded under its hash, unless that is there.
  const hash = createHash('sha256').update(text).digest('hex');
  for (const file of [assets, manifest]) writeFileSync(file, readFileSync(file, 'utf8').replaceAll(name, hash));
}

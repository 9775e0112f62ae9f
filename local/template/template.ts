/** A synthesized stack: its template and where its assets lie, and the order in which its resources can be created. */
import { readFileSync } from 'node:fs';
import { join, resolve as resolvePath } from 'node:path';
import { IngotError } from '../../core/errors.ts';
import { type Json, type JsonObject, references, resolve, type Scope } from './intrinsics.ts';

export interface Resource {
  Type: string;
  Properties?: JsonObject;
  DependsOn?: string | string[];
  Condition?: string;
}

export interface Template {
  Resources: Record<string, Resource>;
  Parameters?: Record<string, { Type: string; Default?: Json }>;
  Mappings?: JsonObject;
  Conditions?: Record<string, Json>;
  Outputs?: Record<string, { Value: Json; Condition?: string }>;
}

export interface Stack {
  name: string;
  template: Template;
  /** Asset directories or files by the object key that the template names them by. */
  assets: ReadonlyMap<string, string>;
}

interface Artifact {
  type: string;
  properties?: { templateFile?: string; stackName?: string };
}

interface AssetManifest {
  files?: Record<string, { source: { path: string }; destinations: Record<string, { objectKey: string }> }>;
}

/**
 * Reads the one stack of a cloud assembly (`cdk.out`).
 * @throws IngotError InvalidRequest where there is not exactly one.
 */
export function readStack(assembly: string): Stack {
  const manifest = JSON.parse(readFileSync(join(assembly, 'manifest.json'), 'utf8')) as { artifacts: Record<string, Artifact> };
  const stacks = Object.entries(manifest.artifacts).filter(([, artifact]) => artifact.type === 'aws:cloudformation:stack');
  const [first] = stacks;
  if (!first || stacks.length > 1) {
    throw new IngotError('InvalidRequest', `The laptop cloud runs one stack, and ${assembly} holds ${stacks.length}.`, { where: assembly });
  }
  const [id, artifact] = first;
  const template = JSON.parse(readFileSync(join(assembly, artifact.properties!.templateFile!), 'utf8')) as Template;
  const files = (JSON.parse(readFileSync(join(assembly, `${id}.assets.json`), 'utf8')) as AssetManifest).files ?? {};
  const assets = new Map<string, string>();
  for (const file of Object.values(files)) {
    for (const destination of Object.values(file.destinations)) assets.set(destination.objectKey, resolvePath(assembly, file.source.path));
  }
  return { name: artifact.properties?.stackName ?? id, template, assets };
}

/** The resources whose condition holds, each after all that it refers to or depends on. */
export function creationOrder(template: Template, scope: Scope): [string, Resource][] {
  const wanted = new Map(
    Object.entries(template.Resources).filter(([id, { Condition }]) => !Condition || resolve({ Condition }, scope, id) === true),
  );
  const order: [string, Resource][] = [];
  const state = new Map<string, 'open' | 'done'>();
  const visit = (id: string, path: string[]): void => {
    const resource = wanted.get(id);
    if (!resource || state.get(id) === 'done') return;
    if (state.get(id) === 'open') {
      throw new IngotError('InvalidRequest', `Resources depend on each other in a circle: ${[...path, id].join(' → ')}.`, { where: id });
    }
    state.set(id, 'open');
    const before = [...references(resource.Properties), ...[resource.DependsOn ?? []].flat()];
    for (const other of before) visit(other, [...path, id]);
    state.set(id, 'done');
    order.push([id, resource]);
  };
  for (const id of wanted.keys()) visit(id, []);
  return order;
}

/** The template's parameters by their defaults, and the pseudo parameters of a laptop. */
export function parametersOf(template: Template, stackName: string): Map<string, Json> {
  const parameters = new Map<string, Json>([
    ['AWS::AccountId', accountId],
    ['AWS::Region', region],
    ['AWS::Partition', 'aws'],
    ['AWS::URLSuffix', 'amazonaws.com'],
    ['AWS::StackName', stackName],
    ['AWS::StackId', `arn:aws:cloudformation:${region}:${accountId}:stack/${stackName}/laptop`],
    ['AWS::NotificationARNs', []],
  ]);
  for (const [name, parameter] of Object.entries(template.Parameters ?? {})) parameters.set(name, parameter.Default ?? '');
  return parameters;
}

export const accountId = '000000000000';
export const region = 'us-east-1';

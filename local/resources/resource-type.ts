/** How a CloudFormation type comes to life on the laptop. */
import { IngotError } from '../../core/errors.ts';
import type { Cloud } from '../cloud.ts';
import type { Identity, Json, JsonObject } from '../template/intrinsics.ts';
import type { Stack } from '../template/template.ts';

export interface Creation {
  /** The logical id. */
  id: string;
  /** A physical name made from the logical id, for resources that the template leaves unnamed. */
  name: string;
  properties: JsonObject;
  cloud: Cloud;
  stack: Stack;
}

export interface ResourceType {
  /** Properties that are done. */
  properties: readonly string[];
  /** Properties that mean nothing on a laptop. */
  meaningless?: readonly string[];
  create(creation: Creation): Identity | Promise<Identity>;
}

export type ResourceTypes = Record<string, ResourceType>;

export const string = (value: Json | undefined): string | undefined => (value === undefined || value === null ? undefined : String(value));
export const number = (value: Json | undefined): number | undefined => (value === undefined || value === null ? undefined : Number(value));
export const object = (value: Json | undefined): JsonObject => (value ?? {}) as JsonObject;
export const objects = (value: Json | undefined): JsonObject[] => (value ?? []) as JsonObject[];
export const strings = (value: Json | undefined): string[] => (value ?? []) as string[];

export function required(properties: JsonObject, name: string, id: string): string {
  const value = string(properties[name]);
  if (value === undefined || value === '') throw refusal(id, `${name} is missing`);
  return value;
}

export function refusal(id: string, what: string): IngotError {
  return new IngotError('InvalidRequest', `The laptop cloud cannot create ${id}: ${what}.`, {
    where: id,
    fix: 'docs/laptop.md lists what the laptop cloud runs.',
  });
}

/** A resource that is nothing but its name. */
export const nameOnly = (ref: string, attributes: Record<string, string> = {}): Identity => ({ ref, attributes });

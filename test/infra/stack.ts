import { App, Stack } from 'aws-cdk-lib';
import { DISABLE_ASSET_STAGING_CONTEXT } from 'aws-cdk-lib/cx-api';
import { Ingot, type IngotProps } from '../../infra/ingot.ts';

/** A stack with one `Ingot`, whose functions hold no code: what the template says does not depend on it. */
export function stackOf(props: IngotProps = {}, context: Record<string, unknown> = {}): Stack {
  const asset = { path: import.meta.dirname, hash: 'none' };
  const stack = new Stack(new App({ context: { ...context, [DISABLE_ASSET_STAGING_CONTEXT]: true } }), 'Ingot');
  new Ingot(stack, 'Ingot', { assets: { control: asset, pipeline: asset, serving: asset }, ...props });
  return stack;
}

/** The CDK app: one stack, for any account and region. `npx cdk deploy`, or `npx cdk synth` to see the template. */
import { App, Stack, Tags, Validations } from 'aws-cdk-lib';
import { DISABLE_ASSET_STAGING_CONTEXT } from 'aws-cdk-lib/cx-api';
import { AwsSolutionsChecks } from 'cdk-nag';
import { Ingot } from './ingot.ts';

const app = new App({ analyticsReporting: false });
// Assets are deployed from .build, where their names are their content's; a copy in cdk.out would cost 100 MB for every change of the code.
app.node.setContext(DISABLE_ASSET_STAGING_CONTEXT, true);
const stack = new Stack(app, 'Ingot', { description: 'Ingot: a dataset dropped in a bucket becomes a versioned, monitored model API' });
new Ingot(stack, 'Ingot');
Tags.of(stack).add('application', 'ingot');
Validations.of(app).addPlugins(new AwsSolutionsChecks());

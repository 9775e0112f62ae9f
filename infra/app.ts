/** The CDK app: one stack, for any account and region. `npx cdk deploy`, or `npx cdk synth` to see the template. */
import { App, Stack, Tags, Validations } from 'aws-cdk-lib';
import { AwsSolutionsChecks } from 'cdk-nag';
import { Ingot } from './ingot.ts';

const app = new App();
const stack = new Stack(app, 'Ingot', { description: 'Ingot: a dataset dropped in a bucket becomes a versioned, monitored model API' });
new Ingot(stack, 'Ingot');
Tags.of(stack).add('application', 'ingot');
Validations.of(app).addPlugins(new AwsSolutionsChecks());

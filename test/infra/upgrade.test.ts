/** What holds data keeps its place in the template for ever: CloudFormation would replace what another release names otherwise. */
import { Template } from 'aws-cdk-lib/assertions';
import { expect, it } from 'vitest';
import { stackOf } from './stack.ts';

/**
 * Logical ids of what people keep something in or call by name, as the first release had them. A new one may be added; one that is here never goes and
 * never changes, for it is in stacks that run.
 */
const kept = {
  'AWS::S3::Bucket': ['IngotDataDataBucket32AD83AF', 'IngotDataModelBucketC225701E'],
  'AWS::SNS::Topic': ['IngotAlarmTopic7B52B08A'],
  'AWS::SQS::Queue': ['IngotPreparationCleanDeadLetters54F2C7F1', 'IngotPreparationTransformDeadLettersC428DE3C'],
  'AWS::KMS::Key': ['IngotKey93662DE5'],
  'AWS::ApiGateway::RestApi': ['IngotServingApi2A06524C'],
  'AWS::ApiGateway::ApiKey': ['IngotServingApiKey4AF98371'],
  'AWS::StepFunctions::StateMachine': ['IngotTrainingStateMachineB8461C8F'],
};

/** Names that a template fixes make CloudFormation replace a resource when they change, and so lose what is in it. An API's is only its label. */
const names = ['BucketName', 'TopicName', 'QueueName', 'StateMachineName', 'Value'];

const template = Template.fromStack(stackOf({ customerKey: true }));

it.each(Object.entries(kept))('every %s of the first release is there under its id, without a name that could change', (type, ids) => {
  const found = template.findResources(type);
  expect(Object.keys(found)).toEqual(expect.arrayContaining(ids));
  for (const id of ids) expect(Object.keys(found[id]!['Properties'] ?? {}).filter((name) => names.includes(name))).toEqual([]);
});

it.each(['AWS::S3::Bucket', 'AWS::KMS::Key'])('a %s outlives its stack, and a change that would replace it', (type) => {
  template.allResources(type, { DeletionPolicy: 'Retain', UpdateReplacePolicy: 'Retain' });
});

/** What is called otherwise in China. A template is for any region, so CloudFormation decides where it deploys it. */
import { Aws, CfnCondition, Fn, Stack } from 'aws-cdk-lib';
import type { Construct } from 'constructs';

export function inChina(scope: Construct, there: string, elsewhere: string): string {
  const stack = Stack.of(scope);
  const condition =
    (stack.node.tryFindChild('InChina') as CfnCondition | undefined) ??
    new CfnCondition(stack, 'InChina', { expression: Fn.conditionEquals(Aws.PARTITION, 'aws-cn') });
  return Fn.conditionIf(condition.logicalId, there, elsewhere).toString();
}

import { spawnSync } from 'node:child_process';
import type { Stack } from 'aws-cdk-lib';
import { Template } from 'aws-cdk-lib/assertions';
import { AwsSolutionsChecks } from 'cdk-nag';
import { python, pythonHas } from '../python.ts';

/** What cdk-nag finds that is not acknowledged: rule and place. */
export const findings = (stack: Stack): string[] =>
  new AwsSolutionsChecks(stack)
    .validateScope(stack)
    .violations.flatMap(({ ruleName, violatingResources }) =>
      violatingResources.map(({ constructPath }) => `${ruleName} ${constructPath}`),
    );

export const hasLint = pythonHas('cfnlint');
export const whyNoLint = hasLint ? '' : ' (skipped: no Python with cfn-lint)';

/** What cfn-lint finds in a stack's template. W3005: CDK names dependencies that references imply already. */
export function lint(stack: Stack): string {
  const found = spawnSync(python, ['-c', 'from cfnlint.runner import main; main()', '-i', 'W3005'], {
    input: JSON.stringify(Template.fromStack(stack).toJSON()),
    encoding: 'utf8',
  });
  return `${found.stdout}${found.stderr}${found.status === 0 ? '' : `status ${found.status}`}`;
}

import { Match, Template } from 'aws-cdk-lib/assertions';
import { describe, expect, it } from 'vitest';
import { computeMetrics } from '../../core/names.ts';
import { stackOf } from './stack.ts';

const template = Template.fromStack(stackOf());
const endpoints = { jobNetwork: 'endpoints', jobImage: '123456789012.dkr.ecr.eu-west-1.amazonaws.com/node:24-slim' } as const;
const text = (value: unknown) => JSON.stringify(value);
const rules = (from = template) => Object.values(from.findResources('AWS::Events::Rule')).map(({ Properties }) => Properties);

describe('the queues of Batch are watched', () => {
  it('by a clock that is off until a job waits, and that the function alone may switch', () => {
    const clock = rules().find(({ ScheduleExpression }) => ScheduleExpression)!;
    expect(clock).toMatchObject({ ScheduleExpression: 'rate(1 minute)', State: 'DISABLED' });
    template.hasResourceProperties('AWS::Lambda::Function', {
      Handler: 'dist/watch.handler',
      Environment: { Variables: Match.objectLike({ WATCH_RULE: clock['Name'], BATCH: Match.anyValue() }) },
    });
    const allowed = Object.values(template.findResources('AWS::IAM::Policy')).filter((each) => text(each).includes('events:EnableRule'));
    expect(allowed).toHaveLength(1);
    expect(text(allowed[0])).toContain(`:rule/${clock['Name']}`);
  });

  it('by what becomes of their jobs, and of no others', () => {
    const { EventPattern } = rules().find((rule) => rule['EventPattern'])!;
    const queues = Object.keys(template.findResources('AWS::Batch::JobQueue')).map((id) => ({ 'Fn::GetAtt': [id, 'JobQueueArn'] }));
    expect(EventPattern).toMatchObject({ source: ['aws.batch'], 'detail-type': ['Batch Job State Change'], detail: { jobQueue: queues } });
  });

  it('not at all where there is no Batch', () => {
    const without = Template.fromStack(stackOf({ batch: 'off' }));
    without.resourceCountIs('AWS::Events::Rule', 0);
    expect(text(without.toJSON())).not.toContain('watch.handler');
  });

  it('with alarms and graphs for each of them', () => {
    for (const [stack, queues] of [
      [template, 1],
      [Template.fromStack(stackOf(endpoints)), 2],
    ] as const) {
      const alarms = Object.values(stack.findResources('AWS::CloudWatch::Alarm')).filter(({ Properties }) =>
        text(Properties).includes('JobQueue'),
      );
      expect(alarms).toHaveLength(3 * queues);
      // An alarm on what nobody tells would never go off: the dimension is the queue's name, as jobs and function have it.
      for (const { Properties } of alarms)
        expect(Properties['Dimensions']).toEqual([
          {
            Name: 'JobQueue',
            Value: { 'Fn::Select': [1, { 'Fn::Split': ['/', { 'Fn::GetAtt': [expect.stringContaining('Queue'), 'JobQueueArn'] }] }] },
          },
        ]);
      const dashboard = text(stack.findResources('AWS::CloudWatch::Dashboard'));
      const { jobGpu, jobGpuMemory, ...shown } = computeMetrics;
      for (const { name } of Object.values(shown)) expect(dashboard).toContain(name);
      expect(dashboard.split('the oldest one waits').length - 1).toBe(queues);
    }
  });
});

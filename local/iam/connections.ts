/** Whether what the stack connects may reach each other. */
import { IngotError } from '../../core/errors.ts';
import type { Cloud } from '../cloud.ts';
import type { FunctionSettings } from '../lambda/function.ts';
import { accountId, region } from '../template/template.ts';
import { pattern } from './patterns.ts';

/**
 * Checks what AWS checks when it creates the connection, or what would fail at the first use: that buckets, topics, rules and APIs may invoke their
 * functions, and that a function's role may write its log and its dead letters. A function without a role is not asked.
 * @throws IngotError InvalidRequest that names what is not allowed.
 */
export function checkConnections(cloud: Cloud): void {
  for (const { bucket, target } of cloud.notifications) invocable(cloud, target, 's3.amazonaws.com', `arn:aws:s3:::${bucket}`);
  for (const { protocol, endpoint, topic } of cloud.topics.subscriptions) {
    if (protocol === 'lambda') invocable(cloud, endpoint, 'sns.amazonaws.com', topic);
  }
  for (const { arn, targets } of cloud.rules.all()) {
    for (const target of targets) invocable(cloud, target, 'events.amazonaws.com', arn);
  }
  for (const api of cloud.apis) {
    for (const { integration, resource } of api.routes.all()) {
      if (integration.type !== 'AWS_PROXY') continue;
      for (const stage of api.stages.keys()) {
        const source = `arn:aws:execute-api:${region}:${accountId}:${api.id}/${stage}/*${resource.replace(/\{[^}]+\}/g, '*')}`;
        invocable(cloud, integration.lambda.settings.arn, 'apigateway.amazonaws.com', source);
      }
    }
  }
  for (const { settings } of cloud.functions.values()) {
    if (!settings.session) continue;
    const deadLetter = cloud.asyncSettings.get(settings.arn)?.deadLetter;
    if (deadLetter) allowed(cloud, settings, deadLetter.includes(':sns:') ? 'sns:Publish' : 'sqs:SendMessage', deadLetter);
    const stream = `arn:aws:logs:${region}:${accountId}:log-group:${settings.logGroup}:log-stream:laptop`;
    allowed(cloud, settings, 'logs:CreateLogStream', stream);
    allowed(cloud, settings, 'logs:PutLogEvents', stream);
  }
}

function invocable(cloud: Cloud, target: string, principal: string, source: string): void {
  const lambda = cloud.findFunction(target);
  if (!lambda?.settings.session) return;
  const { arn } = lambda.settings;
  const found = cloud.permissions.some(
    (each) =>
      each.functionArn === arn && each.principal === principal && (each.sourceArn === undefined || pattern(each.sourceArn).test(source)),
  );
  if (!found) throw refused(`${source} may not invoke ${arn}.`, arn, `An AWS::Lambda::Permission for ${principal} must allow it.`);
}

function allowed(cloud: Cloud, { session, arn }: FunctionSettings, action: string, resource: string): void {
  const words = cloud.iam.refusal(session!.role, { action, resource }, session!.arn);
  if (words) throw refused(words, arn, "Its role's policies must allow it.");
}

const refused = (message: string, where: string, fix: string) => new IngotError('InvalidRequest', message, { where, fix });

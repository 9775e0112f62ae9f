/** A KMS key of one's own in place of the services': who may use it beside the functions, and for what. */
import { ArnFormat, type RemovalPolicy, Stack } from 'aws-cdk-lib';
import { PolicyStatement, ServicePrincipal } from 'aws-cdk-lib/aws-iam';
import { type IKey, Key } from 'aws-cdk-lib/aws-kms';
import type { Construct } from 'constructs';

/** A key that is renewed every year. It is kept when the stack goes, as nothing that is encrypted with it can be read without. */
export function createKey(scope: Construct, removalPolicy: RemovalPolicy): Key {
  return new Key(scope, 'Key', { description: 'Encrypts what Ingot keeps', enableKeyRotation: true, removalPolicy });
}

/**
 * Lets CloudWatch Logs encrypt the stack's log groups, and alarms reach the topic. A key that was imported keeps the policy that it has, so
 * its owner must add these two statements.
 */
export function allowServices(scope: Construct, key: IKey): void {
  const { region, urlSuffix, account } = Stack.of(scope);
  const groups = Stack.of(scope).formatArn({
    service: 'logs',
    resource: 'log-group',
    resourceName: '*',
    arnFormat: ArnFormat.COLON_RESOURCE_NAME,
  });
  key.addToResourcePolicy(
    new PolicyStatement({
      principals: [new ServicePrincipal(`logs.${region}.${urlSuffix}`)],
      actions: ['kms:Encrypt', 'kms:Decrypt', 'kms:ReEncryptFrom', 'kms:ReEncryptTo', 'kms:GenerateDataKey', 'kms:DescribeKey'],
      resources: ['*'],
      conditions: { ArnLike: { 'kms:EncryptionContext:aws:logs:arn': groups } },
    }),
  );
  key.addToResourcePolicy(
    new PolicyStatement({
      principals: [new ServicePrincipal('cloudwatch.amazonaws.com')],
      actions: ['kms:Decrypt', 'kms:GenerateDataKey'],
      resources: ['*'],
      conditions: { StringEquals: { 'aws:SourceAccount': account } },
    }),
  );
}

/** What reading, or writing too, takes beside the permission on the object, message or topic. */
export function keyStatement(key: IKey, use: 'read' | 'write'): PolicyStatement {
  // Parts of an object, and messages, are encrypted with a data key that is decrypted again.
  return new PolicyStatement({ actions: ['kms:Decrypt', ...(use === 'write' ? ['kms:GenerateDataKey'] : [])], resources: [key.keyArn] });
}

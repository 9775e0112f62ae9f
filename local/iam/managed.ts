/** The managed policies of AWS that the CDK gives to roles, by name, as AWS publishes them. */
import type { JsonObject } from '../template/intrinsics.ts';

const allow = (...Action: string[]): JsonObject => ({ Statement: [{ Effect: 'Allow', Action, Resource: '*' }] });

const logs = ['logs:CreateLogGroup', 'logs:CreateLogStream', 'logs:PutLogEvents'];

export const managedPolicies: Record<string, JsonObject> = {
  'service-role/AWSLambdaBasicExecutionRole': allow(...logs),
  'service-role/AWSLambdaVPCAccessExecutionRole': allow(
    ...logs,
    'ec2:CreateNetworkInterface',
    'ec2:DescribeNetworkInterfaces',
    'ec2:DescribeSubnets',
    'ec2:DeleteNetworkInterface',
    'ec2:AssignPrivateIpAddresses',
    'ec2:UnassignPrivateIpAddresses',
  ),
  'service-role/AmazonAPIGatewayPushToCloudWatchLogs': allow(
    ...logs,
    'logs:DescribeLogGroups',
    'logs:DescribeLogStreams',
    'logs:GetLogEvents',
    'logs:FilterLogEvents',
  ),
  'service-role/AmazonECSTaskExecutionRolePolicy': allow(
    'ecr:GetAuthorizationToken',
    'ecr:BatchCheckLayerAvailability',
    'ecr:GetDownloadUrlForLayer',
    'ecr:BatchGetImage',
    'logs:CreateLogStream',
    'logs:PutLogEvents',
  ),
  // Of the agent on the machines and of the service: nothing that these call is on a laptop.
  'service-role/AmazonEC2ContainerServiceforEC2Role': allow('ecs:*', 'ecr:*', ...logs),
  'service-role/AWSBatchServiceRole': allow('ec2:*', 'ecs:*', 'autoscaling:*', ...logs),
};

/**
 * Where Batch's jobs run: subnets that nothing outside reaches, and a way out to what a job needs. Three ways, see docs/deploy.md:
 *
 * - `dualstack`: private subnets whose IPv6 goes out through an egress-only gateway. Neither it nor the gateway endpoint of S3 costs anything.
 * - `endpoints`: subnets without any way out but the interface endpoints of the services, which are paid by the hour, used or not.
 * - subnets of the user's own, where `subnetIds` names them, or the construct is given a network.
 */
import { Aws, Fn, Stack, Validations } from 'aws-cdk-lib';
import {
  CfnEgressOnlyInternetGateway,
  CfnRoute,
  CfnRouteTable,
  CfnSecurityGroup,
  CfnSubnet,
  CfnSubnetRouteTableAssociation,
  CfnVPC,
  CfnVPCCidrBlock,
  CfnVPCEndpoint,
} from 'aws-cdk-lib/aws-ec2';
import { Construct } from 'constructs';
import { inChina } from './china.ts';
import type { Config } from './config.ts';

/** A zone may have no room while another has some. */
const zones = 3;
const addresses = '10.0.0.0/16';

/** What a job's start needs: its image and a place to write logs; the last three are for EC2 machines to join their cluster. */
const endpointServices = ['ecr.api', 'ecr.dkr', 'logs', 'ecs', 'ecs-agent', 'ecs-telemetry'];

export class Network extends Construct {
  readonly subnetIds: string[];
  readonly securityGroupIds: string[];

  constructor(scope: Construct, id: string, { jobNetwork, subnetIds, securityGroupIds }: Config) {
    super(scope, id);
    if (subnetIds.length > 0) {
      this.subnetIds = subnetIds;
      this.securityGroupIds = securityGroupIds;
      return;
    }
    const vpc = new CfnVPC(this, 'Vpc', { cidrBlock: addresses, enableDnsSupport: true, enableDnsHostnames: true, tags: this.named('') });
    Validations.of(vpc).acknowledge({
      id: 'AwsSolutions-VPC7',
      reason: 'Nothing comes in, and what goes out goes to AWS alone; flow logs are paid by the gigabyte and can be added to the VPC.',
    });
    const routes = new CfnRouteTable(this, 'Routes', { vpcId: vpc.ref, tags: this.named('') });
    const ipv6 = jobNetwork === 'dualstack' ? this.wayOut(vpc, routes) : undefined;
    this.subnetIds = Array.from({ length: zones }, (_, zone) => this.subnet(vpc, routes, zone, ipv6).ref);
    const jobs = new CfnSecurityGroup(this, 'Jobs', {
      vpcId: vpc.ref,
      groupDescription: 'Jobs of Ingot: nothing comes in, HTTPS goes out',
      securityGroupEgress: [
        { ipProtocol: 'tcp', fromPort: 443, toPort: 443, cidrIp: '0.0.0.0/0', description: 'S3 and other services of AWS' },
        { ipProtocol: 'tcp', fromPort: 443, toPort: 443, cidrIpv6: '::/0', description: 'The same over IPv6' },
      ],
    });
    this.securityGroupIds = [jobs.attrGroupId];
    new CfnVPCEndpoint(this, 'S3', {
      vpcId: vpc.ref,
      serviceName: this.service('s3'),
      vpcEndpointType: 'Gateway',
      routeTableIds: [routes.ref],
    });
    if (jobNetwork === 'endpoints') this.endpoints(vpc, jobs);
  }

  /** IPv6 addresses of Amazon's, and a gateway that lets connections out and none in. */
  private wayOut(vpc: CfnVPC, routes: CfnRouteTable): CfnVPCCidrBlock {
    const block = new CfnVPCCidrBlock(this, 'Ipv6', { vpcId: vpc.ref, amazonProvidedIpv6CidrBlock: true });
    const gateway = new CfnEgressOnlyInternetGateway(this, 'WayOut', { vpcId: vpc.ref });
    new CfnRoute(this, 'RouteOut', {
      routeTableId: routes.ref,
      destinationIpv6CidrBlock: '::/0',
      egressOnlyInternetGatewayId: gateway.ref,
    });
    return block;
  }

  private subnet(vpc: CfnVPC, routes: CfnRouteTable, zone: number, ipv6: CfnVPCCidrBlock | undefined): CfnSubnet {
    const subnet = new CfnSubnet(this, `Subnet${zone}`, {
      vpcId: vpc.ref,
      availabilityZone: Fn.select(zone, Fn.getAzs(Aws.REGION)),
      cidrBlock: `10.0.${zone * 16}.0/20`,
      mapPublicIpOnLaunch: false,
      ...(ipv6 && {
        ipv6CidrBlock: Fn.select(zone, Fn.cidr(Fn.select(0, vpc.attrIpv6CidrBlocks), zones, '64')),
        assignIpv6AddressOnCreation: true,
      }),
      tags: this.named(` ${zone}`),
    });
    if (ipv6) subnet.addResourceDependency(ipv6);
    new CfnSubnetRouteTableAssociation(this, `Subnet${zone}Routes`, { subnetId: subnet.ref, routeTableId: routes.ref });
    return subnet;
  }

  private endpoints(vpc: CfnVPC, jobs: CfnSecurityGroup): void {
    const group = new CfnSecurityGroup(this, 'Endpoints', {
      vpcId: vpc.ref,
      groupDescription: 'Endpoints of AWS services, for jobs of Ingot',
      securityGroupIngress: [
        { ipProtocol: 'tcp', fromPort: 443, toPort: 443, sourceSecurityGroupId: jobs.attrGroupId, description: 'From jobs' },
      ],
      securityGroupEgress: [{ ipProtocol: 'tcp', fromPort: 443, toPort: 443, cidrIp: addresses, description: 'Inside alone' }],
    });
    for (const service of endpointServices) {
      new CfnVPCEndpoint(this, `${service.replaceAll(/[.-]/g, '')}Endpoint`, {
        vpcId: vpc.ref,
        serviceName: service.startsWith('ecr.')
          ? inChina(this, `cn.${this.service(service)}`, this.service(service))
          : this.service(service),
        vpcEndpointType: 'Interface',
        privateDnsEnabled: true,
        subnetIds: this.subnetIds,
        securityGroupIds: [group.attrGroupId],
      });
    }
  }

  private service(name: string): string {
    return `com.amazonaws.${Stack.of(this).region}.${name}`;
  }

  private named(more: string) {
    return [{ key: 'Name', value: `${Stack.of(this).stackName} jobs${more}` }];
  }
}

/** Roles and who acts in them: each function and job has a key of its own, and what it calls is held against its role's policies. */
import { createHmac, randomBytes } from 'node:crypto';
import { join } from 'node:path';
import { IngotError } from '../../core/errors.ts';
import { readText, writeDurablySync } from '../home.ts';
import type { JsonObject } from '../template/intrinsics.ts';
import { accountId } from '../template/template.ts';
import { managedPolicies } from './managed.ts';
import { type Call, parsePolicy, type Statement, verdict } from './policy.ts';

export interface Role {
  name: string;
  arn: string;
  statements: Statement[];
  /** Who may act in it. */
  trust: Statement[];
  /** What it may do at most, whatever its policies say. */
  boundary?: Statement[];
}

/** Somebody who acts in a role, with keys like those of STS. */
export interface Session {
  role: Role;
  /** `arn:aws:sts::<account>:assumed-role/<role>/<session>` */
  arn: string;
  accessKeyId: string;
  secretAccessKey: string;
  token: string;
}

/** The user of the laptop, who may do everything. */
const administrator = { accessKeyId: 'test', secretAccessKey: 'test' };

export class Iam {
  /** Secrets by access key id: of the administrator and all sessions. */
  readonly secrets: Record<string, string> = { [administrator.accessKeyId]: administrator.secretAccessKey };
  /** By ARN. */
  readonly roles = new Map<string, Role>();
  /** ARNs of KMS keys by the ARN of what they encrypt. */
  readonly encrypted = new Map<string, string>();
  readonly #managed = new Map<string, Statement[]>();
  readonly #sessions = new Map<string, Session>();
  /** Policies of buckets, topics and queues, by their ARN. */
  readonly #guards = new Map<string, Statement[]>();
  readonly #secret: string;

  constructor(home: string) {
    const path = join(home, 'iam.key');
    // Kept, so that an address which a function presigned outlives a restart.
    this.#secret = readText(path) ?? randomBytes(32).toString('hex');
    if (readText(path) === undefined) writeDurablySync(path, this.#secret);
  }

  addRole(name: string, trust: JsonObject): Role {
    const arn = `arn:aws:iam::${accountId}:role/${name}`;
    const role: Role = { name, arn, statements: [], trust: parsePolicy(trust, arn) };
    this.roles.set(arn, role);
    return role;
  }

  addManagedPolicy(arn: string, document: JsonObject): void {
    this.#managed.set(arn, parsePolicy(document, arn));
  }

  /** @throws IngotError InvalidRequest for one that is neither of the stack nor among those of local/iam/managed.ts. */
  managedPolicy(arn: string): Statement[] {
    const own = this.#managed.get(arn);
    if (own) return own;
    const name = arn.split(':policy/')[1] ?? '';
    if (arn.includes(':iam::aws:') && managedPolicies[name]) return parsePolicy(managedPolicies[name], arn);
    throw new IngotError('InvalidRequest', `The laptop cloud does not know the managed policy ${arn}.`, {
      where: arn,
      fix: 'Add what it says to local/iam/managed.ts, or write the statements into the stack.',
    });
  }

  /** @param role a name or an ARN. */
  role(role: string): Role | undefined {
    return this.roles.get(role) ?? this.roles.get(`arn:aws:iam::${accountId}:role/${role}`);
  }

  /** Adds to what the policy of a bucket, topic or queue says. */
  guard(resourceArn: string, document: JsonObject): void {
    this.#guards.set(resourceArn, [...(this.#guards.get(resourceArn) ?? []), ...parsePolicy(document, resourceArn)]);
  }

  /**
   * Lets a service act in a role, as Lambda does for a function.
   * @param service `lambda.amazonaws.com`, `ecs-tasks.amazonaws.com` …
   * @throws IngotError InvalidRequest where the role is not there or does not trust the service.
   */
  assume(roleArn: string, service: string, name: string): Session {
    const role = this.roles.get(roleArn);
    if (!role || verdict(role.trust, { action: 'sts:AssumeRole', resource: role.arn }, [service]) !== 'Allow') {
      throw new IngotError('InvalidRequest', `The role ${roleArn} cannot be assumed by ${service}.`, {
        where: name,
        fix: role ? `Its AssumeRolePolicyDocument must allow sts:AssumeRole to ${service}.` : 'The stack has no such role.',
      });
    }
    const arn = `arn:aws:sts::${accountId}:assumed-role/${role.name}/${name}`;
    const made = (what: string) => createHmac('sha256', this.#secret).update(`${what} ${arn}`);
    const accessKeyId = `ASIA${BigInt(`0x${made('key').digest('hex')}`)
      .toString(36)
      .toUpperCase()
      .slice(0, 16)}`;
    const session = {
      role,
      arn,
      accessKeyId,
      secretAccessKey: made('secret').digest('base64').slice(0, 40),
      token: made('token').digest('base64'),
    };
    this.#sessions.set(accessKeyId, session);
    this.secrets[accessKeyId] = session.secretAccessKey;
    return session;
  }

  /** Whose key it is; undefined for the administrator's, and for keys that are configured for other places. */
  session(accessKeyId: string): Session | undefined {
    return this.#sessions.get(accessKeyId);
  }

  /**
   * Holds a call against the policies of a role, its boundary, and that of the resource.
   * @param by the ARN that AWS names in its refusal.
   * @returns undefined where it is allowed, or AWS's words for why it is not.
   */
  refusal(role: Role, call: Call, by: string): string | undefined {
    // The loopback stands for TLS: nothing on the way can read or change what is sent.
    const context = {
      'aws:SecureTransport': 'true',
      's3:TlsVersion': '1.3',
      'aws:PrincipalArn': role.arn,
      'aws:PrincipalAccount': accountId,
      ...call.context,
    };
    const full = { ...call, context };
    const guards = this.#guards.get(call.resource.startsWith('arn:aws:s3:::') ? call.resource.split('/')[0]! : call.resource) ?? [];
    const own = verdict(role.statements, full);
    // A policy that names the account leaves it to the account's roles.
    const guard = verdict(guards, full, [role.arn, by]);
    const most = role.boundary && verdict(role.boundary, full);
    const because = (reason: string) =>
      `User: ${by} is not authorized to perform: ${call.action} on resource: ${call.resource.startsWith('arn:aws:s3:::') ? `"${call.resource}"` : call.resource} ${reason}`;
    if (own === 'Deny') return because('with an explicit deny in an identity-based policy');
    if (guard === 'Deny') return because('with an explicit deny in a resource-based policy');
    if (most === 'Deny') return because('with an explicit deny in a permissions boundary');
    if (role.boundary && most === undefined) return because(`because no permissions boundary allows the ${call.action} action`);
    if (own === undefined && guard === undefined) return because(`because no identity-based policy allows the ${call.action} action`);
    return undefined;
  }
}

/** What a process needs to act in a session, or as the user. */
export function environmentOf(session: Session | undefined): Record<string, string> {
  const { accessKeyId, secretAccessKey } = session ?? administrator;
  return { AWS_ACCESS_KEY_ID: accessKeyId, AWS_SECRET_ACCESS_KEY: secretAccessKey, ...(session && { AWS_SESSION_TOKEN: session.token }) };
}

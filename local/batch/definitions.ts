/** Job definitions and their revisions. */
import { join } from 'node:path';
import { RecordDirectory } from '../home.ts';
import { accountId, region } from '../template/template.ts';
import { checkSize, type DefinitionRequest, definitionRequest, parse, refused } from './request.ts';

export interface JobDefinition extends DefinitionRequest {
  jobDefinitionArn: string;
  revision: number;
  status: 'ACTIVE' | 'INACTIVE';
}

const arnPrefix = `arn:aws:batch:${region}:${accountId}:job-definition/`;

export class Definitions {
  readonly #records: RecordDirectory<JobDefinition>;
  readonly #all = new Map<string, JobDefinition>();

  constructor(home: string) {
    this.#records = new RecordDirectory(join(home, 'batch', 'definitions'));
    for (const { record } of this.#records.all()) this.#all.set(record.jobDefinitionArn, record);
  }

  /** A new revision. @throws ServiceError ClientException */
  async register(input: unknown): Promise<JobDefinition> {
    checkSize('Job definition', input);
    const request = parse(definitionRequest, input);
    if (request.type !== 'container') throw refused(`The laptop cloud runs job definitions of type container, not ${request.type}.`);
    const revision = Math.max(0, ...this.of(request.jobDefinitionName).map((each) => each.revision)) + 1;
    const jobDefinitionArn = `${arnPrefix}${request.jobDefinitionName}:${revision}`;
    const definition: JobDefinition = { ...request, jobDefinitionArn, revision, status: 'ACTIVE' };
    await this.save(definition);
    return definition;
  }

  /** As CloudFormation does: a new revision where something changed, and the one before is no longer active. */
  async update(input: unknown): Promise<JobDefinition> {
    checkSize('Job definition', input);
    const request = parse(definitionRequest, input);
    const latest = this.of(request.jobDefinitionName).at(-1);
    if (latest) {
      const { jobDefinitionArn, revision, status, ...content } = latest;
      if (status === 'ACTIVE' && JSON.stringify(content) === JSON.stringify(request)) return latest;
      await this.save({ ...latest, status: 'INACTIVE' });
    }
    return this.register(input);
  }

  async save(definition: JobDefinition): Promise<void> {
    this.#all.set(definition.jobDefinitionArn, definition);
    await this.#records.put(definition.jobDefinitionArn, definition);
  }

  /** By ARN, by name and revision, or by name alone: then the newest that is active. @throws ServiceError ClientException */
  find(name: string): JobDefinition {
    const plain = name.startsWith(arnPrefix) ? name.slice(arnPrefix.length) : name;
    const found = plain.includes(':')
      ? this.#all.get(arnPrefix + plain)
      : this.of(plain)
          .filter(({ status }) => status === 'ACTIVE')
          .at(-1);
    if (!found) throw refused(`JobDefinition not found: ${name}`);
    return found;
  }

  /** The revisions of a name, the oldest first. */
  of(name: string): JobDefinition[] {
    return this.all()
      .filter(({ jobDefinitionName }) => jobDefinitionName === name)
      .sort((a, b) => a.revision - b.revision);
  }

  all(): JobDefinition[] {
    return [...this.#all.values()];
  }
}

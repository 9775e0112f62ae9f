/** Rules of EventBridge. */
import { unknownComparison } from '../events/pattern.ts';
import { rateMs } from '../events/rules.ts';
import { accountId, region } from '../template/template.ts';
import { object, objects, type ResourceTypes, refusal, required, string } from './resource-type.ts';

/** Sources whose events the laptop cloud tells of. */
const sources = ['aws.batch'];

export const events: ResourceTypes = {
  'AWS::Events::Rule': {
    properties: ['Name', 'EventPattern', 'ScheduleExpression', 'State', 'Targets'],
    meaningless: ['Description', 'Tags'],
    create: ({ id, name: made, properties, cloud }) => {
      const name = string(properties['Name']) ?? made;
      const arn = `arn:aws:events:${region}:${accountId}:rule/${name}`;
      const pattern = properties['EventPattern'] === undefined ? undefined : object(properties['EventPattern']);
      const asked = pattern && ((pattern['source'] ?? []) as string[]);
      if (asked && (asked.length === 0 || asked.some((source) => !sources.includes(source))))
        throw refusal(id, `its pattern must name its sources, of which there are ${sources.join(', ')}`);
      const unknown = pattern && unknownComparison(pattern);
      if (unknown) throw refusal(id, `its pattern compares by ${unknown}`);
      const schedule = string(properties['ScheduleExpression']);
      const everyMs = schedule === undefined ? undefined : rateMs(schedule);
      if (schedule !== undefined && everyMs === undefined) throw refusal(id, `there is no schedule ${schedule}, but rate(…)`);
      const targets = objects(properties['Targets']).map((target) => {
        const more = Object.keys(target).find((property) => !['Arn', 'Id', 'RetryPolicy'].includes(property));
        if (more) throw refusal(id, `a target has ${more}`);
        const to = required(target, 'Arn', id);
        if (!cloud.findFunction(to)) throw refusal(id, `its target ${to} is not a function of the stack`);
        return to;
      });
      const settings = { name, arn, targets, ...(pattern && { pattern }), ...(schedule && { schedule }), ...(everyMs && { everyMs }) };
      cloud.rules.add(settings, properties['State'] !== 'DISABLED');
      return { ref: name, attributes: { Arn: arn } };
    },
  },
};

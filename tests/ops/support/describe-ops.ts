import type { ResourceClient } from '@tapline/client';
import { incidentResource, remediationResource } from '@tapline/resources';

/** What OpsBot did and did not do, as text: for the message of a test that waited in vain. */
export async function describeOps(client: ResourceClient): Promise<string> {
  const remediations = await client.list(remediationResource);
  const incidents = await client.list(incidentResource);
  return [
    ...remediations.items.map(({ metadata, spec, status }) => {
      const { phase, outcome = '', clearedAt = 'not cleared', steps = [] } = status ?? {};
      const said = steps.map(({ state, says = '' }) => `${state} ${says}`).join('; ');
      return `${metadata.name} on ${spec.target.name}: ${phase}, ${outcome}, ${clearedAt} [${said}]`;
    }),
    ...incidents.items
      .filter(({ status }) => status?.phase === 'Open')
      .map(({ metadata, status }) => {
        const held = (status?.held ?? []).map(({ guard, says }) => `${guard}: ${says}`);
        return `incident ${metadata.name}: held by ${held.join('; ')}`;
      }),
  ].join('\n');
}

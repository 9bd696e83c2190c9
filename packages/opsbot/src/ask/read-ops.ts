import { TaplineError } from '@tapline/base';
import type { ObjectOf, ResourceClient } from '@tapline/client';
import {
  attachmentResource,
  channelResource,
  deliveryResource,
  deviceResource,
  incidentResource,
  installResource,
  type KindDefinition,
  nodeResource,
  playbookResource,
  remediationResource,
  segmentResource,
  workloadResource,
} from '@tapline/resources';
import type { Fleet } from '../fleet.ts';
import type { AskState } from './answer-question.ts';

const pageSize = 500;
/** Most objects of a kind that a question reads. */
const maxObjects = 20_000;

/** Reads what a plan or an answer comes from: a bounded number of objects, and nothing else. */
export async function readOps(client: ResourceClient, signal: AbortSignal): Promise<AskState> {
  const [fleet, incidents, remediations, playbooks] = await Promise.all([
    readFleet(client, signal),
    listAll(client, incidentResource, signal),
    listAll(client, remediationResource, signal),
    listAll(client, playbookResource, signal),
  ]);
  return { fleet, incidents, remediations, playbooks };
}

export async function readFleet(client: ResourceClient, signal: AbortSignal): Promise<Fleet> {
  const [devices, nodes, workloads, channels, segments, attachments, deliveries, installs] =
    await Promise.all([
      listAll(client, deviceResource, signal),
      listAll(client, nodeResource, signal),
      listAll(client, workloadResource, signal),
      listAll(client, channelResource, signal),
      listAll(client, segmentResource, signal),
      listAll(client, attachmentResource, signal),
      listAll(client, deliveryResource, signal),
      listAll(client, installResource, signal),
    ]);
  return {
    devices: byName(devices),
    nodes: byName(nodes),
    workloads: byName(workloads),
    channels: byName(channels),
    segments: byName(segments),
    attachments: byName(attachments),
    deliveries: byName(deliveries),
    installs: byName(installs),
  };
}

async function listAll<D extends KindDefinition>(
  client: ResourceClient,
  definition: D,
  signal: AbortSignal,
): Promise<readonly ObjectOf<D>[]> {
  const items: ObjectOf<D>[] = [];
  let page: string | undefined;
  do {
    const list = await client.list(definition, {
      limit: pageSize,
      signal,
      ...(page !== undefined && { continue: page }),
    });
    items.push(...list.items);
    if (items.length > maxObjects) {
      throw new TaplineError(
        'query_too_large',
        `there are more than ${maxObjects} ${definition.plural}; that is more than one question may read`,
        { hint: 'ask about one object with tapline describe' },
      );
    }
    page = list.continue === '' ? undefined : list.continue;
  } while (page !== undefined);
  return items;
}

function byName<T extends { readonly metadata: { readonly name: string } }>(
  items: readonly T[],
): ReadonlyMap<string, T> {
  return new Map(items.map((one) => [one.metadata.name, one]));
}

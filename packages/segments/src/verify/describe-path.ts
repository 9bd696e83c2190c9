import { type ClaimedPort } from './claim-index.ts';
import type { Fact } from './fact.ts';
import { describeReason, type Frame, type Reason } from './frame.ts';
import type { LinkState } from '../state/node-state.ts';
import type { NodeModel } from './node-model.ts';
import type { Endpoint, Hop } from './verdict.ts';

type Mark = number | 'any';

export function endpointOf(port: ClaimedPort): Endpoint {
  const { segment, intent, device } = port;
  const { index, owner, role } = intent;
  return { node: intent.node, device, port: { vni: segment.vni, index, owner, role } };
}

export function describePort({ segment, intent }: ClaimedPort): string {
  const { role } = intent;
  const kind = role.kind === 'community' ? `community ${role.community}` : role.kind;
  return `port ${intent.index} of ${segment.name} (${kind}, ${intent.owner} on ${intent.node})`;
}

export function markOf(mark: number | undefined): Mark {
  return mark ?? 'any';
}

/** From the port that sends to the bridge where the fact is. */
export function pathTo(fact: Fact): readonly Hop[] {
  const { node, from, mark, by, origin, ports, bridge } = fact;
  const inBridge: Hop = {
    node: node.name,
    at: 'bridge',
    device: bridge,
    text: `is in the bridge, having come in by ${from}`,
  };
  const entered: Hop = {
    node: node.name,
    at: origin === undefined ? 'ingress' : 'arrival',
    device: from,
    mark: markOf(mark),
    by: describeReason(by),
    text: 'is let in',
  };
  if (origin === undefined) {
    const [port] = ports;
    const text = port === undefined ? 'enters' : `enters from ${describePort(port)}`;
    return [{ node: node.name, at: 'port', device: from, text }, entered, inBridge];
  }
  const gbp = origin.gbp ?? 'any';
  return [
    ...pathTo(origin.fact),
    forwardHop(origin.fact.node, origin.device, origin.fact.mark, origin.sentBy),
    {
      node: origin.fact.node.name,
      at: 'vxlan',
      device: origin.device,
      text: `is sent as VXLAN, VNI ${origin.vni}, GBP ${gbp}, to ${origin.destination}`,
    },
    {
      node: node.name,
      at: 'underlay',
      device: from,
      by: describeReason(origin.acceptedBy),
      text: 'is accepted from the underlay',
    },
    entered,
    inBridge,
  ];
}

export function forwardHop(
  node: NodeModel,
  device: string,
  mark: number | undefined,
  by: Reason | undefined,
): Hop {
  return {
    node: node.name,
    at: 'forward',
    device,
    mark: markOf(mark),
    by: describeReason(by),
    text: `is forwarded to ${device}`,
  };
}

export function filterHop(node: NodeModel, device: string, mark: number | undefined): Hop {
  const filter = node.hasFilter(device) ? 'the filter lets it leave' : 'no filter stops it';
  return { node: node.name, at: 'filter', device, mark: markOf(mark), text: filter };
}

export function hostHop(node: NodeModel, bridge: string, by: Reason | undefined): Hop {
  return {
    node: node.name,
    at: 'host',
    device: bridge,
    text: 'is taken by the node itself',
    ...(by !== undefined && { by: `nft ${by.family} ${by.table} ${by.chain}` }),
  };
}

export function deliveryPath(
  fact: Fact,
  link: LinkState,
  frame: Frame,
  port: ClaimedPort,
): readonly Hop[] {
  const { node } = fact;
  return [
    ...pathTo(fact),
    forwardHop(node, link.name, frame.mark, frame.by),
    filterHop(node, link.name, frame.mark),
    { node: node.name, at: 'port', device: link.name, text: `arrives at ${describePort(port)}` },
  ];
}

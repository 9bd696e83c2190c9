import { type ClaimedPort, isAllowed } from './claim-index.ts';
import { describePort, endpointOf } from './describe-path.ts';
import type { Fact } from './fact.ts';
import type { FabricModel } from './fabric-model.ts';
import { truthPasses } from './find-forged.ts';
import { canBe } from './frame.ts';
import type { Closure } from './segment-closure.ts';

/** Findings beyond this many of one segment say nothing new. */
const mostMissing = 8;

/**
 * Pairs that the policy allows and the network does not carry: as broadcast, which resolution of
 * addresses needs, and as unicast, which needs the entries of bridges and VXLAN devices.
 */
export function findMissing(
  fabric: FabricModel,
  ports: readonly ClaimedPort[],
  closure: Closure,
): void {
  const bySource = factsBySource(closure.facts);
  let found = 0;
  for (const from of ports) {
    const node = fabric.nodes.get(from.intent.node);
    const frames = closure.entered.get(from);
    if (node === undefined) continue;
    if (frames === undefined) {
      closure.findings.add('missing', 'port_absent', {
        node: from.intent.node,
        key: from.device,
        message: `${describePort(from)} is not there: ${from.device} is no member of a bridge, or down`,
        from: endpointOf(from),
      });
      continue;
    }
    const silent = !truthPasses(from, frames);
    const reached = reachedFrom(bySource.get(from) ?? [], from);
    for (const to of ports) {
      if (found >= mostMissing) return;
      if (to === from || !isAllowed(from, to) || !closure.entered.has(to)) continue;
      const why = silent
        ? 'its own frames are not let in'
        : reasonMissing(fabric, reached, from, to);
      if (why === undefined) continue;
      found += 1;
      closure.findings.add('missing', 'pair_unreachable', {
        node: from.intent.node,
        key: `${from.device} ${to.device}`,
        message: `${describePort(from)} may reach ${describePort(to)} and does not: ${why}`,
        from: endpointOf(from),
        to: endpointOf(to),
      });
    }
  }
}

function factsBySource(facts: readonly Fact[]): ReadonlyMap<ClaimedPort, readonly Fact[]> {
  const found = new Map<ClaimedPort, Fact[]>();
  for (const fact of facts) {
    for (const port of fact.ports) {
      const known = found.get(port);
      if (known === undefined) found.set(port, [fact]);
      else known.push(fact);
    }
  }
  // A group's frames in another node come from every node that has the group; the receiver's rules
  // then say from whom they are.
  for (const fact of facts) {
    if (fact.origin === undefined) continue;
    for (const [port, own] of found) if (port.group === fact.group) own.push(fact);
  }
  return found;
}

/** Where broadcasts of a port arrive, with the facts by which they do. */
function reachedFrom(facts: readonly Fact[], from: ClaimedPort): ReadonlyMap<ClaimedPort, Fact> {
  const reached = new Map<ClaimedPort, Fact>();
  for (const fact of facts) {
    if (fact.origin !== undefined && !knows(fact, from)) continue;
    for (const port of fact.reached) reached.set(port, fact);
  }
  return reached;
}

/** Whether the receiving node lets in frames of this port's MAC with this mark. */
function knows(fact: Fact, from: ClaimedPort): boolean {
  return fact.node
    .enter(fact.from, fact.origin?.gbp)
    .some((frame) => frame.mark === fact.mark && canBe(frame, 'ether saddr', from.mac));
}

function reasonMissing(
  fabric: FabricModel,
  reached: ReadonlyMap<ClaimedPort, Fact>,
  from: ClaimedPort,
  to: ClaimedPort,
): string | undefined {
  const fact = reached.get(to);
  if (fact === undefined) return 'broadcasts do not arrive';
  if (!fact.node.switches(to.device, to.mac)) {
    return `${fact.bridge} of ${fact.node.name} has no entry for ${to.mac}`;
  }
  if (to.intent.node === from.intent.node || fact.origin === undefined) return undefined;
  const sender = fabric.nodes.get(from.intent.node);
  const bridge = sender?.links.get(from.device)?.master ?? '';
  const tunnel = sender?.members
    .get(bridge)
    ?.find((link) => link.vxlan !== undefined && sender.switches(link.name, to.mac));
  if (sender === undefined || tunnel === undefined) {
    return `${bridge} of ${from.intent.node} has no entry for ${to.mac}`;
  }
  const entries = sender.destinations.get(tunnel.name) ?? [];
  const own = entries.filter((entry) => entry.mac === to.mac);
  const chosen = own.length > 0 ? own : entries.filter(({ mac }) => /^[0:]+$/.test(mac));
  const right = chosen.some(
    ({ dst }) => dst !== undefined && fabric.ownerOf(dst)?.node === to.intent.node,
  );
  return right ? undefined : `${tunnel.name} of ${sender.name} does not send ${to.mac} to its node`;
}

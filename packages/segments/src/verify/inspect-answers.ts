import type { ClaimedPort } from './claim-index.ts';
import { isAllowed } from './claim-index.ts';
import { describePort, endpointOf } from './describe-path.ts';
import { canBe, type Frame } from './frame.ts';
import type { NodeModel } from './node-model.ts';
import type { Closure } from './segment-closure.ts';

/**
 * What a bridge tells ports of whom it answers for: a MAC of somebody whom the policy keeps from them,
 * or one that is not whose address it is, so that frames for one go to another.
 */
export function inspectAnswers(
  node: NodeModel,
  local: readonly ClaimedPort[],
  { ports, closure }: { readonly ports: readonly ClaimedPort[]; readonly closure: Closure },
): void {
  const owners = new Map(
    ports.flatMap((port) => port.intent.addresses.map((address) => [address, port] as const)),
  );
  for (const port of local) {
    const link = node.links.get(port.device);
    const entered = closure.entered.get(port) ?? [];
    for (const { address } of link === undefined ? [] : node.neighboursOf(link)) {
      if (!entered.some((frame) => asksFor(frame, address))) continue;
      const answer = node.answerTo(port.device, address);
      if (answer.kind !== 'answered' || !node.leaves(port.device, answer.mark)) continue;
      const owner = owners.get(address);
      const about = { node: node.name, key: `${port.device} ${address}`, to: endpointOf(port) };
      if (owner?.mac !== answer.mac) {
        closure.findings.add('leak', 'neighbour_wrong', {
          ...about,
          message: `${node.name} tells ${describePort(port)} that ${address} is at ${answer.mac}, which is not whose it is`,
        });
      } else if (owner !== port && !isAllowed(port, owner)) {
        closure.findings.add('degraded', 'neighbour_told', {
          ...about,
          message: `${node.name} tells ${describePort(port)} the MAC of ${describePort(owner)}, which it may not reach`,
        });
      }
    }
  }
}

function asksFor(frame: Frame, address: string): boolean {
  return (
    canBe(frame, 'protocol', 'arp') &&
    canBe(frame, 'arp operation', 'request') &&
    canBe(frame, 'arp daddr ip', address)
  );
}

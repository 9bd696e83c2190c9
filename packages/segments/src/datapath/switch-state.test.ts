import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { FabricIntent } from '../intent/segment-intent.ts';
import type { NodeState } from '../state/node-state.ts';
import { portEndName } from '../names/interface-names.ts';
import { arbitraryFabric } from '../testing/arbitrary-fabric.ts';
import { compiledStates } from '../testing/compiled-states.ts';
import { verifyFabric } from '../verify/verify-fabric.ts';
import { checkCertificate } from '../verify/check-certificate.ts';
import { createNodeSwitch } from './node-switch.ts';
import { switchState } from './switch-state.ts';

/** What the switch of a node would tell of itself; `intent` is what it was given. */
function told(intent: FabricIntent, at: number): readonly [string, NodeState] {
  const node = intent.nodes[at] ?? { name: '', vtep: '', underlay: '' };
  const { segments, peers, ports } = createNodeSwitch({
    intent,
    node: node.name,
    output: { toPort: () => undefined, toPeer: () => undefined },
  });
  const state = switchState(node, [
    {
      path: 'underlay',
      local: node.underlay,
      vxlanPort: intent.vxlanPort,
      segments: [...segments.values()],
      peers: peers.map((peer) => ({ node: peer.node.name, address: peer.node.underlay })),
      open: ports.map((port) => portEndName(port.vni, port.intent)),
    },
  ]);
  const addresses = [{ dev: 'ua', address: node.underlay, prefixLength: 24 }];
  return [node.name, { ...state, addresses }];
}

test('nodes with a switch, some or all of them, are verified as those with a kernel are', () => {
  fc.assert(
    fc.property(arbitraryFabric, fc.nat(15), (fabric, bits) => {
      const states = compiledStates(fabric);
      for (const at of fabric.nodes.keys()) {
        if (((bits >> at) & 1) === 1) states.set(...told(fabric, at));
      }
      const { result, findings, certificate } = verifyFabric(fabric, states);
      expect([result, findings]).toEqual(['verified', []]);
      if (certificate === undefined) throw new Error('no certificate');
      checkCertificate(certificate, fabric, states);
    }),
    { numRuns: 15 },
  );
});

test('a switch that was told something else is found', () => {
  fc.assert(
    fc.property(arbitraryFabric, fc.nat(3), (fabric, at) => {
      const number = at % fabric.nodes.length;
      const wrong = {
        ...fabric,
        segments: fabric.segments.map((segment) => ({
          ...segment,
          ports: segment.ports.map((port) => ({
            ...port,
            role: { kind: 'promiscuous' } as const,
          })),
        })),
      };
      const states = compiledStates(fabric);
      states.set(...told(wrong, number));
      const name = fabric.nodes[number]?.name;
      // Two here that policy keeps apart, and that are all the same to the switch.
      const open = fabric.segments.some(({ ports }) => {
        const here = ports.filter(({ node, role }) => node === name && role.kind !== 'promiscuous');
        return here.some((port) => here.some((o) => o !== port && port.role.kind === 'isolated'));
      });
      fc.pre(open);
      expect(verifyFabric(fabric, states).result).toBe('open');
    }),
    { numRuns: 10 },
  );
});

import {
  type FabricIntent,
  mayReach,
  portEndName,
  portMac,
  type PortRole,
  vlanAwareCommands,
} from '@tapline/segments';
import { haveProgram } from '@tapline/testing';
import { describe, expect, test } from 'vitest';
import { debianUnavailable } from '../../../tools/debian/debian-unavailable.ts';
import { commandScript } from './command-script.ts';
import { answerOf, runSteps } from './run-steps.ts';
import { routedScript, vmNodes } from './vm-fabric.ts';
import { matrixOf, matrixStep } from './vm-steps.ts';

const unavailable = (await debianUnavailable()) ?? (haveProgram('python3') ? undefined : 'python3');

const roles: readonly PortRole[] = [
  { kind: 'promiscuous' },
  { kind: 'isolated' },
  { kind: 'isolated' },
  { kind: 'promiscuous' },
  { kind: 'community', community: 'a' },
  { kind: 'community', community: 'a' },
];
/** Ports 1, 3 and 5 are in one segment, 2, 4 and 6 in the other; two on each node. */
const intent: FabricIntent = {
  vxlanPort: 4789,
  nodes: vmNodes,
  segments: [0, 1].map((odd) => ({
    name: `s${odd}`,
    vni: 7000 + odd,
    subnet: '10.7.0.0/24',
    mtu: 1400,
    encryption: { underlay: 'none', link: 'none' },
    communities: { a: 16 },
    ports: roles.flatMap((role, number) =>
      number % 2 === odd
        ? [
            {
              node: `n${Math.floor(number / 2) + 1}`,
              index: number + 1,
              incarnation: 1,
              owner: `w${number + 1}`,
              addresses: [`10.7.0.${number + 1}`],
              role,
              attach: { kind: 'namespace', path: `/run/netns/w${number + 1}` },
            },
          ]
        : [],
    ),
  })),
};
const ends = intent.segments
  .flatMap(({ vni, ports }) => ports.map((port) => ({ vni, port })))
  .toSorted((a, b) => a.port.index - b.port.index)
  .map(({ vni, port }) => ({
    vni,
    intent: port,
    mac: portMac(vni, port.index),
    ipv4: port.addresses[0] ?? '',
  }));

describe.skipIf(unavailable !== undefined)(`in Debian's kernel ${unavailable ?? ''}`, () => {
  test('two segments on a VLAN-aware bridge and one VXLAN device: the policy’s matrix, none across', async () => {
    const vlans = new Map([
      [7000, 10],
      [7001, 11],
    ]);
    const answers = await runSteps(
      [
        routedScript(),
        ...vmNodes.map(({ name }) =>
          commandScript(name, vlanAwareCommands(intent, { node: name, vlans })),
        ),
        ...ends.map(
          ({ vni, intent: port }) => `ip -n w${port.index} link set ${portEndName(vni, port)} up`,
        ),
      ].join('\n'),
      ['UDP', 'raw frames', 'broadcast'].map((name) => matrixStep(name, ends)),
      ends.map(({ vni, intent: port }) => portEndName(vni, port)),
    );
    const policy = ends
      .flatMap((from) =>
        ends
          .filter(
            (to) =>
              to !== from && to.vni === from.vni && mayReach(from.intent.role, to.intent.role),
          )
          .map((to) => `${from.intent.index}>${to.intent.index}`),
      )
      .toSorted();
    for (const name of ['UDP', 'raw frames', 'broadcast']) {
      expect([name, ...matrixOf(answerOf(answers, name), ends)]).toEqual([name, ...policy]);
    }
  }, 300_000);
});

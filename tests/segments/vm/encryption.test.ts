import { generateKeyPairSync, randomBytes } from 'node:crypto';
import { espKeyBytes, nodeKey, type NodeKey, pairKey, unwrapKey, wrapKey } from '@tapline/fabric';
import {
  ipsecCommand,
  ipsecIntent,
  type KeyPhase,
  type KeyReference,
  macsecCommand,
  type MacsecIntent,
  planIpsec,
  planMacsec,
  rotationPhases,
  steadyPhase,
} from '@tapline/segments';
import { haveProgram } from '@tapline/testing';
import { describe, expect, test } from 'vitest';
import { debianUnavailable } from '../../../tools/debian/debian-unavailable.ts';
import { policyMatrix } from '../support/measure-matrix.ts';
import { commandScript } from './command-script.ts';
import { answerOf, runSteps } from './run-steps.ts';
import {
  batch,
  linkMac,
  routedScript,
  segmentScript,
  sharedLinkScript,
  vmEnds,
  vmIntent,
  vmNodes,
} from './vm-fabric.ts';
import { matrixOf, matrixStep, streamStep } from './vm-steps.ts';

const unavailable =
  (await debianUnavailable()) ?? (haveProgram('python3') ? undefined : 'needs python3');

/** Each node's own key; what a node derives, it derives from its own and the others' public ones. */
const keys = new Map<string, NodeKey>(
  vmNodes.map(({ name }) => [name, nodeKey(generateKeyPairSync('x25519').privateKey)]),
);
function keyOf(name: string | undefined): NodeKey {
  const key = keys.get(name ?? '');
  if (key === undefined) throw new Error(`no node ${name}`);
  return key;
}

const classes = ['UDP', 'raw frames', 'broadcast'];

describe.skipIf(unavailable !== undefined)(`in Debian's kernel ${unavailable ?? ''}`, () => {
  test('IPsec: the policy’s matrix, nothing readable, rotation without a loss, shut when flushed', async () => {
    const intent = vmIntent({ underlay: 'ipsec', link: 'none' });
    const script = (from: KeyPhase | undefined, to: KeyPhase, only = vmNodes): string =>
      only
        .map(({ name }) => {
          const wanted = (phase: KeyPhase | undefined) =>
            phase === undefined ? undefined : ipsecIntent(intent, { node: name, phase });
          const source = (reference: KeyReference): string =>
            pairKey(keyOf(name), {
              use: 'esp',
              epoch: reference.epoch,
              from: keyOf(reference.from).publicKey,
              to: keyOf(reference.to).publicKey,
              bytes: espKeyBytes,
            }).toString('hex');
          const operations = planIpsec(wanted(from), wanted(to));
          return commandScript(
            name,
            operations.map((operation) => ipsecCommand(operation, source)),
          );
        })
        .join('\n');
    const rotations: string[] = [];
    let phase = steadyPhase(0);
    for (let epoch = 0; epoch < 2; epoch += 1) {
      for (const next of rotationPhases(epoch)) {
        rotations.push(script(phase, next));
        phase = next;
      }
    }
    const answers = await runSteps(
      [routedScript(), script(undefined, steadyPhase(0)), segmentScript()].join('\n'),
      [
        ...classes.map((name) => matrixStep(name, vmEnds)),
        streamStep('rotation', { ends: vmEnds, from: 0, to: 4, shell: rotations }),
        { ...matrixStep('UDP', vmEnds), name: 'after rotation' },
        {
          ...matrixStep('raw frames', vmEnds),
          name: 'associations flushed',
          shell: 'ip -n n1 xfrm state flush',
        },
        {
          ...matrixStep('raw frames', vmEnds),
          name: 'policies flushed',
          shell: 'ip -n n1 xfrm policy flush',
        },
        {
          ...matrixStep('raw frames', vmEnds),
          name: 'guard and associations gone',
          shell: `ip netns exec n2 nft delete table inet tapline_ipsec; ip -n n2 xfrm state flush`,
        },
      ],
    );
    const policy = policyMatrix(vmEnds);
    for (const name of [...classes, 'after rotation']) {
      const answer = answerOf(answers, name);
      expect([name, ...matrixOf(answer, vmEnds)]).toEqual([name, ...policy]);
      expect(answer.wire['readable']).toBeUndefined();
      expect(answer.wire['esp']).toBeGreaterThan(0);
    }
    const rotation = answerOf(answers, 'rotation');
    expect(rotation.statuses).toEqual(rotations.map(() => 0));
    expect(rotation.arrived).toBe(rotation.sent);
    expect(rotation.sent).toBeGreaterThan(50);
    for (const [name, cut] of [
      ['associations flushed', ['n1']],
      ['policies flushed', ['n1']],
      ['guard and associations gone', ['n1', 'n2']],
    ] as const) {
      const answer = answerOf(answers, name);
      const left = vmEnds.filter(({ intent: { node } }) => !cut.some((gone) => gone === node));
      const alone = cut.flatMap((gone) =>
        policyMatrix(vmEnds.filter(({ intent: { node } }) => node === gone)),
      );
      expect([name, ...matrixOf(answer, vmEnds)]).toEqual([
        name,
        ...[...policyMatrix(left), ...alone].toSorted(),
      ]);
      expect(answer.wire['readable']).toBeUndefined();
    }
  }, 300_000);

  test('MACsec: the policy’s matrix, nothing readable, rotation without a loss, shut parent', async () => {
    const dev = 'tm0';
    // Each sender draws its keys; receivers get them wrapped, through whoever.
    const drawn = new Map<string, Buffer>();
    const source =
      (node: string) =>
      ({ from, epoch }: KeyReference): string => {
        const id = `${from} ${epoch}`;
        const key = drawn.get(id) ?? randomBytes(32);
        drawn.set(id, key);
        if (from === node) return key.toString('hex');
        const wrapped = wrapKey(keyOf(from), { to: keyOf(node).publicKey, epoch, key });
        return unwrapKey(keyOf(node), wrapped).toString('hex');
      };
    const wanted = (node: string, phase: KeyPhase): MacsecIntent => ({
      node,
      dev,
      parent: 'eth0',
      peers: vmNodes.flatMap(({ name }, index) =>
        name === node ? [] : [{ node: name, mac: linkMac(index) }],
      ),
      phase,
    });
    const script = (from: KeyPhase | undefined, to: KeyPhase): string =>
      vmNodes
        .map(({ name }) => {
          const operations = planMacsec(from && wanted(name, from), wanted(name, to));
          return commandScript(
            name,
            operations.map((operation) => macsecCommand(operation, source(name))),
          );
        })
        .join('\n');
    const rotations: string[] = [];
    // Four association numbers in turn: 2, 3, 0, 1.
    const first = steadyPhase(2);
    let phase = first;
    for (let epoch = 2; epoch < 5; epoch += 1) {
      for (const next of rotationPhases(epoch)) {
        rotations.push(script(phase, next));
        phase = next;
      }
    }
    const addresses = vmNodes.map(({ name, underlay }) =>
      batch(name, [`address add ${underlay}/24 dev ${dev}`, `link set ${dev} up`]),
    );
    const answers = await runSteps(
      [sharedLinkScript(), script(undefined, first), ...addresses, segmentScript()].join('\n'),
      [
        ...classes.map((name) => matrixStep(name, vmEnds)),
        streamStep('rotation', { ends: vmEnds, from: 0, to: 4, shell: rotations }),
        { ...matrixStep('UDP', vmEnds), name: 'after rotation' },
        {
          ...matrixStep('raw frames', vmEnds),
          name: 'no MACsec on one node',
          // Its address on the bare link: what would leave there leaves nowhere.
          shell: `ip -n n1 link delete ${dev} && ip -n n1 address add ${vmNodes[0]?.underlay}/24 dev eth0`,
        },
      ],
    );
    const policy = policyMatrix(vmEnds);
    for (const name of [...classes, 'after rotation']) {
      const answer = answerOf(answers, name);
      expect([name, ...matrixOf(answer, vmEnds)]).toEqual([name, ...policy]);
      expect(Object.keys(answer.wire)).toEqual(['macsec']);
    }
    const rotation = answerOf(answers, 'rotation');
    expect(rotation.statuses).toEqual(rotations.map(() => 0));
    expect(rotation.arrived).toBe(rotation.sent);
    expect(rotation.sent).toBeGreaterThan(50);
    const bare = answerOf(answers, 'no MACsec on one node');
    const alone = policyMatrix(vmEnds.slice(0, 2));
    expect(matrixOf(bare, vmEnds)).toEqual([...policyMatrix(vmEnds.slice(2)), ...alone].toSorted());
    expect(Object.keys(bare.wire)).toEqual(['macsec']);
  }, 300_000);
});

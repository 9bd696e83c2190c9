import type { Attachment, Keyring, Node } from '@tapline/resources';
import { expect, test } from 'vitest';
import { type KeyObservation, type KeyPlan, planKeys } from './plan-keys.ts';

const rotationMs = 3_600_000;

function attachment(
  node: string,
  peers: readonly string[],
  encryption: Attachment['spec']['encryption'],
): Attachment {
  const intent = (name: string) => ({ name, vtep: '100.112.0.1', underlay: '192.0.2.1' });
  return {
    apiVersion: 'tapline.dev/v1alpha1',
    kind: 'Attachment',
    metadata: { name: `${node}.s` },
    spec: {
      node,
      segment: 's',
      epoch: 1,
      vxlanPort: 4789,
      self: intent(node),
      peers: peers.map(intent),
      vni: 4096,
      subnet: '10.7.0.0/24',
      mtu: 1400,
      encryption,
      communities: {},
      ports: [],
    },
  };
}

/** Nodes that do what they are told at once, with what they have wrapped. */
class World {
  nowMs = 0;
  keys: KeyObservation['keys'];
  readonly offline = new Set<string>();
  /** What each node has in its kernel, and what it was told. */
  readonly applied = new Map<string, Keyring>();
  readonly rings = new Map<string, Keyring>();
  readonly #names: readonly string[];
  readonly #encryption: Attachment['spec']['encryption'];
  wraps = true;

  constructor(names: readonly string[], encryption: Attachment['spec']['encryption']) {
    this.#names = names;
    this.#encryption = encryption;
  }

  plan(): KeyPlan {
    const plan = planKeys({
      keys: this.keys,
      nodes: this.#names.map((name) => this.#node(name)),
      attachments: this.#names.map((name) =>
        attachment(
          name,
          this.#names.filter((other) => other !== name),
          this.#encryption,
        ),
      ),
      isOnline: (name) => !this.offline.has(name),
      rotationMs,
      nowMs: this.nowMs,
    });
    this.keys = plan.keys;
    for (const [name, ring] of plan.rings) this.rings.set(name, ring);
    return plan;
  }

  apply(...names: readonly string[]): void {
    for (const name of names) {
      const ring = this.rings.get(name);
      if (ring !== undefined) this.applied.set(name, ring);
    }
  }

  get step(): number | undefined {
    return this.keys?.step;
  }

  #node(name: string): Node {
    const step = this.applied.get(name)?.step;
    const send = Math.floor(((step ?? 0) + 1) / 3);
    const others = this.#names.filter((other) => other !== name);
    const wrapped = others.flatMap((other) =>
      [send, send + 1].map((epoch) => ({
        to: keyOf(other),
        epoch,
        generation: 1,
        sealed: `${name} for ${other}`,
      })),
    );
    return {
      apiVersion: 'tapline.dev/v1alpha1',
      kind: 'Node',
      metadata: { name },
      spec: { device: name },
      status: {
        keys: {
          agreementKey: keyOf(name),
          generation: 1,
          ...(step === undefined ? {} : { step }),
          ...(this.wraps ? { wrapped } : {}),
        },
      },
    };
  }
}

function keyOf(name: string): string {
  return name.padEnd(43, 'A');
}

const names = ['n1', 'n2', 'n3'];

test('without a segment that asks for keys nobody is told of any', () => {
  const world = new World(names, { underlay: 'wireguard', link: 'none' });
  expect(world.plan()).toEqual({ keys: undefined, rings: new Map() });
});

test('an epoch goes to the next in three steps, each when all nodes are through the one before', () => {
  const world = new World(names, { underlay: 'ipsec', link: 'none' });
  world.plan();
  expect(world.rings.get('n1')).toEqual({
    step: 0,
    peers: ['n2', 'n3'].map((name) => ({ name, agreementKey: keyOf(name), generation: 1 })),
  });
  world.apply(...names);
  expect(world.plan().requeueAfterMs).toBe(rotationMs);
  world.nowMs = rotationMs;
  for (const step of [1, 2, 3]) {
    world.plan();
    expect(world.step).toBe(step);
    world.apply('n1', 'n2');
    world.plan();
    expect(world.step).toBe(step);
    world.apply('n3');
  }
  // Then it is steady again for as long.
  world.plan();
  expect(world.step).toBe(3);
});

test('one that is offline holds a rotation up for as long as keys are in use, and no longer', () => {
  const world = new World(names, { underlay: 'ipsec', link: 'none' });
  world.plan();
  world.apply(...names);
  world.offline.add('n3');
  world.nowMs = rotationMs;
  world.plan();
  world.apply('n1', 'n2');
  expect(world.plan().requeueAfterMs).toBe(rotationMs);
  expect(world.step).toBe(1);
  world.nowMs += rotationMs;
  world.plan();
  expect(world.step).toBe(2);
  // When it is back, it is told what is in use by then, and waited for.
  world.offline.delete('n3');
  world.apply('n1', 'n2');
  world.plan();
  expect(world.step).toBe(2);
  expect(world.rings.get('n3')?.step).toBe(2);
});

test('MACsec keys are carried wrapped, and no step is taken before the next ones are there', () => {
  const world = new World(names, { underlay: 'none', link: 'macsec' });
  world.wraps = false;
  world.plan();
  world.apply(...names);
  world.nowMs = rotationMs;
  world.plan();
  expect(world.step).toBe(0);
  world.wraps = true;
  world.plan();
  expect(world.step).toBe(1);
  const peer = world.rings.get('n1')?.peers.find(({ name }) => name === 'n2');
  expect(peer?.wrapped).toEqual(
    [0, 1].map((epoch) => ({ epoch, generation: 1, sealed: 'n2 for n1' })),
  );
});

test('a control plane whose backup was restored goes on where most nodes are, not one', () => {
  const world = new World(names, { underlay: 'ipsec', link: 'none' });
  world.plan();
  const ring = { step: 9, peers: [] };
  world.applied.set('n1', ring);
  world.plan();
  expect(world.step).toBe(0);
  world.applied.set('n2', ring);
  world.plan();
  expect(world.step).toBe(9);
});

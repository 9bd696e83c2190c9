import type { AllocationSpec, Attachment, Keyring, Node } from '@tapline/resources';
import { keyPhase, stepsPerEpoch } from '@tapline/segments';

/** What the keys of a fabric are planned from. */
export interface KeyObservation {
  readonly keys: AllocationSpec['keys'];
  readonly nodes: readonly Node[];
  readonly attachments: readonly Attachment[];
  readonly isOnline: (node: string) => boolean;
  readonly rotationMs: number;
  readonly nowMs: number;
}

export interface KeyPlan {
  /** Undefined where nobody needs keys. */
  readonly keys: NonNullable<AllocationSpec['keys']> | undefined;
  /** What each node is to have; not before `keys` is on disk. */
  readonly rings: ReadonlyMap<string, Keyring>;
  readonly requeueAfterMs?: number;
}

/**
 * Which keys are in use, and what each node is told of them. A step is taken when all nodes are
 * through the one before; one that is offline holds it up for as long as keys are in use, and is told
 * when it is back.
 */
export function planKeys(observed: KeyObservation): KeyPlan {
  const { nodes, nowMs } = observed;
  const partners = partnersOf(observed.attachments);
  if (partners.size === 0) return { keys: observed.keys, rings: new Map() };
  const known = new Map(nodes.map((node) => [node.metadata.name, node]));
  const since = new Date(nowMs).toISOString();
  const before = observed.keys ?? { step: 0, since };
  // As after a backup of the control plane was restored: nodes never go back.
  const step = Math.max(before.step, stepOfMost([...partners.keys()], known));
  const current = step === before.step ? before : { step, since };
  const wait = waitOf(current, { observed, partners, known });
  const keys = wait === undefined ? { step: current.step + 1, since } : current;
  const rings = new Map(
    [...partners].map(([name, peers]) => [name, ringOf(name, { peers, known, step: keys.step })]),
  );
  return { keys, rings, ...(wait !== undefined && { requeueAfterMs: wait }) };
}

/** By node the others that it has a way to under IPsec or MACsec; true where MACsec is on it. */
type Partners = ReadonlyMap<string, ReadonlyMap<string, boolean>>;

function partnersOf(attachments: readonly Attachment[]): Partners {
  const partners = new Map<string, Map<string, boolean>>();
  for (const { spec } of attachments) {
    const { underlay, link } = spec.encryption;
    if (underlay !== 'ipsec' && link !== 'macsec') continue;
    const own = partners.get(spec.node) ?? new Map<string, boolean>();
    partners.set(spec.node, own);
    for (const { name } of spec.peers) {
      own.set(name, own.get(name) === true || link === 'macsec');
    }
  }
  return partners;
}

function stepOfMost(names: readonly string[], known: ReadonlyMap<string, Node>): number {
  const steps = names.map((name) => known.get(name)?.status?.keys?.step ?? 0);
  return steps.toSorted((a, b) => b - a)[Math.floor(steps.length / 2)] ?? 0;
}

/** How long to wait before the next step, unless something is heard before; undefined: not at all. */
function waitOf(
  { step, since }: NonNullable<AllocationSpec['keys']>,
  about: {
    readonly observed: KeyObservation;
    readonly partners: Partners;
    readonly known: ReadonlyMap<string, Node>;
  },
): number | undefined {
  const { observed, partners, known } = about;
  const { isOnline, rotationMs, nowMs } = observed;
  const leftMs = Math.max(0, Date.parse(since) + rotationMs - nowMs);
  const isSteady = step % stepsPerEpoch === 0;
  if (isSteady && leftMs > 0) return leftMs;
  const next = keyPhase(step).send + 1;
  const behind = [...partners.keys()].filter((name) => {
    const node = known.get(name);
    if (node?.status?.keys?.step !== step) return true;
    return isSteady && !hasWrapped(node, { epoch: next, peers: partners.get(name), known });
  });
  if (behind.some(isOnline)) return rotationMs;
  return behind.length > 0 && leftMs > 0 ? leftMs : undefined;
}

/** Whether each receiver has the MACsec key of that epoch already. */
function hasWrapped(
  { status }: Node,
  about: {
    readonly epoch: number;
    readonly peers: ReadonlyMap<string, boolean> | undefined;
    readonly known: ReadonlyMap<string, Node>;
  },
): boolean {
  const { epoch, peers = new Map<string, boolean>(), known } = about;
  const { generation, wrapped = [] } = status?.keys ?? {};
  return [...peers].every(([name, isLink]) => {
    const to = known.get(name)?.status?.keys?.agreementKey;
    if (!isLink || to === undefined) return true;
    return wrapped.some(
      (entry) => entry.to === to && entry.epoch === epoch && entry.generation === generation,
    );
  });
}

function ringOf(
  name: string,
  about: {
    readonly peers: ReadonlyMap<string, boolean>;
    readonly known: ReadonlyMap<string, Node>;
    readonly step: number;
  },
): Keyring {
  const { peers, known, step } = about;
  const { receive } = keyPhase(step);
  const to = known.get(name)?.status?.keys?.agreementKey;
  return {
    step,
    peers: [...peers]
      .toSorted(([a], [b]) => (a < b ? -1 : 1))
      .flatMap(([peer, isLink]) => {
        const keys = known.get(peer)?.status?.keys;
        if (keys === undefined) return [];
        const { agreementKey, generation } = keys;
        const wrapped = (keys.wrapped ?? [])
          .filter(
            (entry) =>
              entry.to === to && entry.generation === generation && receive.includes(entry.epoch),
          )
          .map(({ epoch, sealed }) => ({ epoch, generation, sealed }));
        return [
          {
            name: peer,
            agreementKey,
            generation,
            ...(isLink && { link: true, wrapped }),
          },
        ];
      }),
  };
}

import { execFile } from 'node:child_process';
import { isDeepStrictEqual, promisify } from 'node:util';
import {
  type Clock,
  errorMessage,
  isRecord,
  isTaplineError,
  type Log,
  type Rng,
} from '@tapline/base';
import type { ResourceClient } from '@tapline/client';
import type { Fabric, WrappedKey } from '@tapline/fabric';
import { createInformer, type Outcome, WorkQueue } from '@tapline/reconcile';
import { type Keyring, type Node, nodeResource, type NodeStatus } from '@tapline/resources';
import { keyPhase } from '@tapline/segments';
import type { AgentState } from '../agent-state.ts';

/** A node's part in keys of IPsec and MACsec: what it is told, and what it tells of its own. */
export interface KeyAgent extends AsyncDisposable {
  /** The newest ring that this node has accepted; also without a control plane. */
  ring(): Keyring | undefined;
  /** A pass over the segments has ended, with that ring in the kernel where it went well. */
  applied(ring: Keyring | undefined): void;
}

const execute = promisify(execFile);
const metaKey = 'keyring';
const lookAgainMs = 30_000;

export function createKeyAgent(init: {
  readonly node: string;
  readonly client: ResourceClient;
  readonly state: AgentState;
  readonly fabric: Pick<Fabric, 'capabilities' | 'keys' | 'sealKeys'>;
  /** Another ring is to be applied. */
  readonly onRing: () => void;
  readonly clock: Clock;
  readonly rng: Rng;
  readonly log: Log;
}): KeyAgent {
  const { node, client, state, fabric, onRing, clock, rng, log } = init;
  let ring = state.meta(metaKey) as Keyring | undefined;
  let appliedStep: number | undefined;
  let told: object | undefined;
  const sealed = new Map<string, WrappedKey>();
  const informer = createInformer(client, nodeResource, {
    clock,
    rng,
    log,
    fieldSelector: `metadata.name=${node}`,
  });
  const stopListening = informer.onChange(({ kind, object }) => {
    if (kind === 'deleted') return;
    accept(object);
    reports.add(node);
  });
  const reports = new WorkQueue({
    clock,
    rng,
    baseBackoffMs: 200,
    maxBackoffMs: 30_000,
    run: (_key, { signal }) => report(signal),
    onError: (_key, error, retryAfterMs) =>
      log.info('keys not reported', { retryAfterMs, error: errorMessage(error) }),
  });
  reports.add(node);

  /** Never back: with an older step others could not take what this node sends. */
  function accept({ status }: Node): void {
    const next = status?.keyring;
    if (next === undefined || isDeepStrictEqual(next, ring)) return;
    if (ring !== undefined && next.step < ring.step) {
      log.warn('key ring refused', { step: next.step, has: ring.step });
      return;
    }
    state.putMeta(metaKey, next);
    ring = next;
    onRing();
  }

  async function report(signal: AbortSignal): Promise<Outcome> {
    const { ipsec, macsec } = await fabric.capabilities();
    // Who cannot encrypt has nothing to agree on.
    if (!ipsec && macsec === 'none') return { requeueAfterMs: lookAgainMs };
    const current = await fabric.keys();
    const wrapped = await wrap(current.generation);
    const link = await linkOf(informer.get(node)?.spec.link?.interface);
    const keys: NodeStatus['keys'] = {
      agreementKey: current.publicKey,
      generation: current.generation,
      ...(appliedStep === undefined ? {} : { step: appliedStep }),
      ...(wrapped.length === 0 ? {} : { wrapped }),
    };
    const body = { status: { keys, link: link ?? null } };
    if (isDeepStrictEqual(body, told)) return { requeueAfterMs: lookAgainMs };
    // What the control plane was told must not be unknown to the node after a loss of power.
    await state.barrier();
    try {
      const patch = { kind: 'merge', body } as const;
      await client.patch(nodeResource, node, patch, { subresource: 'status', signal });
    } catch (error) {
      // Its Node is made when the control plane sees that the device is a node.
      if (isTaplineError(error, 'not_found') || isTaplineError(error, 'forbidden')) {
        return { requeueAfterMs: 250 };
      }
      throw error;
    }
    told = body;
    return { requeueAfterMs: lookAgainMs };
  }

  /** For each node on the link the key that is sent with, and the next one before it is needed. */
  async function wrap(
    generation: number,
  ): Promise<NonNullable<NonNullable<NodeStatus['keys']>['wrapped']>> {
    if (ring === undefined) return [];
    const { send } = keyPhase(ring.step);
    const wanted = ring.peers.flatMap(({ link, agreementKey: to }) =>
      link === true ? [send, send + 1].map((epoch) => ({ to, epoch })) : [],
    );
    const id = ({ to, epoch }: { readonly to: string; readonly epoch: number }): string =>
      `${to} ${epoch} ${generation}`;
    const missing = wanted.filter((one) => !sealed.has(id(one)));
    if (missing.length > 0) {
      for (const key of await fabric.sealKeys(missing)) sealed.set(id(key), key);
    }
    const keep = new Set(wanted.map(id));
    for (const known of sealed.keys()) if (!keep.has(known)) sealed.delete(known);
    return wanted.flatMap((one) => {
      const found = sealed.get(id(one));
      return found === undefined ? [] : [{ ...one, generation, sealed: found.sealed }];
    });
  }

  return {
    ring: () => ring,
    applied(one) {
      appliedStep = one?.step;
      reports.add(node);
    },
    async [Symbol.asyncDispose]() {
      stopListening();
      await informer[Symbol.asyncDispose]();
      await reports[Symbol.asyncDispose]();
    },
  };
}

/** What the kernel has for an interface; undefined where there is none. */
async function linkOf(name: string | undefined): Promise<NodeStatus['link']> {
  if (name === undefined) return undefined;
  try {
    const words = ['-j', 'link', 'show', 'dev', name];
    const { stdout } = await execute('ip', words, { timeout: 10_000 });
    const parsed: unknown = JSON.parse(stdout);
    const [link] = Array.isArray(parsed) ? (parsed as unknown[]) : [];
    const { address, mtu } = isRecord(link) ? link : {};
    if (typeof address !== 'string' || typeof mtu !== 'number') return undefined;
    return { interface: name, mac: address, mtu };
  } catch {
    // `ip` says no more than that there is none.
    return undefined;
  }
}

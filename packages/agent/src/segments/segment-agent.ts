import { type Clock, errorMessage, isTaplineError, type Log, type Rng } from '@tapline/base';
import type { ResourceClient } from '@tapline/client';
import type { Fabric, FabricCondition, FabricMetrics, FabricOutcome } from '@tapline/fabric';
import { createInformer, type Outcome, WorkQueue } from '@tapline/reconcile';
import { type Attachment, attachmentResource, type AttachmentStatus } from '@tapline/resources';
import type { FabricIntent, NodeState, SegmentIntent } from '@tapline/segments';
import type { AgentState } from '../agent-state.ts';
import { keyedIntent } from './keyed-intent.ts';
import type { KeyAgent } from './key-agent.ts';
import type { AttachmentRecord } from './attachment-record.ts';
import { attachmentStatus, isNews } from './attachment-status.ts';
import { fabricIntentOf, segmentIntentOf } from './fabric-intent-of.ts';
import { withSameNodes } from './with-same-nodes.ts';

export interface SegmentAgentInit {
  readonly node: string;
  /** Its address for other nodes. */
  readonly underlay: string;
  readonly client: ResourceClient;
  readonly state: AgentState;
  readonly fabric: Pick<Fabric, 'apply' | 'check' | 'observe' | 'metrics'>;
  /** Network namespace of a workload that runs here, by its Install's name. */
  readonly namespaceOf?: (owner: string) => string | undefined;
  /** Keys of IPsec and MACsec, where the node has them. */
  readonly keys?: Pick<KeyAgent, 'ring' | 'applied'>;
  readonly clock: Clock;
  readonly rng: Rng;
  readonly log: Log;
}

/** A node's part in segments. Disposing it leaves standing what stands. */
export interface SegmentAgent extends AsyncDisposable {
  /** Resolves when the node's Attachments were listed for the first time. */
  readonly synced: Promise<void>;
  /** Resolves when there is nothing to do for now. */
  idle(): Promise<void>;
  /** What the kernel has at this moment. */
  observe(): Promise<NodeState>;
  /** Of each segment its name by VNI, and the fabric's counters. */
  metrics(): Promise<{
    readonly names: ReadonlyMap<number, string>;
    readonly fabric: FabricMetrics;
  }>;
  /** Whether the port of a workload stands in its segment here. */
  hasPort(owner: string, segment: string): boolean;
  /** There is another key ring to apply. */
  keysChanged(): void;
  /** A workload's namespace has come or gone. */
  namespaceChanged(owner: string): void;
}

/** How often it is looked at whether all of it still stands, beside what the kernel reports. */
const resyncMs = 30_000;
const work = 'segments';

export function createSegmentAgent(init: SegmentAgentInit): SegmentAgent {
  const { node, underlay, client, state, fabric, clock, rng, log } = init;
  const { namespaceOf = () => undefined } = init;
  /** The same object for as long as nothing changes: the fabric does not look at those again. */
  const intents = new Map<string, SegmentIntent>();
  /** Its nodes and keys, too, are the same objects for that long. */
  let lastIntent: FabricIntent | undefined;
  const statuses = new Map<string, AttachmentStatus>();
  /** Ports that the last pass put into the kernel, by attachment and owner. */
  let placed: ReadonlySet<string> = new Set();
  const reports = new WorkQueue({
    clock,
    rng,
    concurrency: 4,
    baseBackoffMs: 200,
    maxBackoffMs: 60_000,
    run: (name, { signal }) => report(name, signal),
    onError: (name, error, retryAfterMs) =>
      log.info('attachment not reported', { name, retryAfterMs, error: errorMessage(error) }),
  });
  const applying = new WorkQueue({
    clock,
    rng,
    baseBackoffMs: 200,
    maxBackoffMs: 10_000,
    run: () => apply(),
    onError: (_key, error, retryAfterMs) =>
      log.warn('segments are not as they are wanted', { retryAfterMs, error }),
  });
  const informer = createInformer(client, attachmentResource, {
    clock,
    rng,
    log,
    fieldSelector: `spec.node=${node}`,
  });
  // Also without the control plane: what stood before a crash or a reboot stands again.
  applying.add(work);

  const stopListening = informer.onChange((change) => {
    try {
      if (change.kind === 'deleted') vanished(change.object.metadata.name);
      else accept(change.object);
    } catch (error) {
      // As on a full disk; the next resync looks at all of them again.
      log.warn('attachment cannot be noted', { name: change.object.metadata.name, error });
    }
  });
  const synced = informer.synced.then(() => {
    takeStock();
    return undefined;
  });
  synced.catch((error: unknown) => log.debug('attachments were never listed', { error }));

  /** What changed while nobody here could hear of it, or could not be noted. */
  function takeStock(): void {
    if (!informer.isSynced) return;
    const listed = new Map(informer.list().map((one) => [one.metadata.name, one]));
    for (const { name } of state.attachments()) if (!listed.has(name)) vanished(name);
    for (const attachment of listed.values()) accept(attachment);
  }

  function accept(attachment: Attachment): void {
    const { metadata, spec } = attachment;
    const { name, uid = '', deletionTimestamp } = metadata;
    if (spec.node !== node) return;
    if (deletionTimestamp !== undefined) {
      vanished(name);
      return;
    }
    const record = state.attachment(name);
    if (record?.uid === uid && spec.epoch <= record.spec.epoch) {
      if (spec.epoch < record.spec.epoch) refuse(record, spec.epoch);
      else remindIfUnknown(attachment);
      return;
    }
    state.putAttachment({ name, uid, spec });
    intents.delete(name);
    applying.add(work);
  }

  /** As after a backup of the control plane was restored: what is newer stays. */
  function refuse({ name, spec }: AttachmentRecord, epoch: number): void {
    log.warn('attachment refused', { name, epoch, has: spec.epoch });
    const before = statuses.get(name);
    const message = `epoch ${epoch} is older than ${spec.epoch}, which the node has`;
    statuses.set(name, { ...before, error: { code: 'epoch_stale', message } });
    reports.add(name);
  }

  /** Says again what the control plane was told once and does not know. */
  function remindIfUnknown({ metadata: { name }, status }: Attachment): void {
    const known = statuses.get(name);
    if (known !== undefined && isNews(status, known)) reports.add(name);
  }

  function vanished(name: string): void {
    if (state.attachment(name) === undefined) return;
    state.forgetAttachment(name);
    intents.delete(name);
    statuses.delete(name);
    applying.add(work);
  }

  function intentOf(record: AttachmentRecord): SegmentIntent {
    const known = intents.get(record.name);
    if (known !== undefined) return known;
    const made = segmentIntentOf(record, namespaceOf);
    intents.set(record.name, made);
    return made;
  }

  async function apply(): Promise<Outcome> {
    takeStock();
    const records = state.attachments();
    const ring = init.keys?.ring();
    const alone = { name: node, vtep: underlay, underlay };
    const given = keyedIntent(fabricIntentOf(records, records.map(intentOf), alone), ring);
    const intent = (lastIntent = withSameNodes(given, lastIntent));
    const began = clock.monotonic();
    const outcome = await fabric.apply(intent);
    const applied = clock.monotonic();
    // Read anew, and compared: what the kernel said of each command is not what it has.
    const { open, metrics } =
      outcome.state === 'failed' ? { open: [], metrics: undefined } : await fabric.check(intent);
    const verified = clock.monotonic();
    const seconds = { applied: (applied - began) / 1000, verified: (verified - applied) / 1000 };
    placed = new Set(
      open.length > 0
        ? []
        : records.flatMap((record, at) =>
            conditionOf(record, outcome, open).ready
              ? (intent.segments[at]?.ports ?? []).map(({ owner }) => `${record.name} ${owner}`)
              : [],
          ),
    );
    for (const record of records) {
      // It was changed meanwhile: the next pass speaks for it.
      if (state.attachment(record.name)?.sequence !== record.sequence) continue;
      const condition = conditionOf(record, outcome, open);
      const before = statuses.get(record.name);
      const nowMs = clock.now();
      const status = attachmentStatus(record, { condition, seconds, metrics, nowMs }, before);
      statuses.set(record.name, status);
      if (isNews(before ?? informer.get(record.name)?.status, status)) reports.add(record.name);
    }
    const unsettled = outcome.state === 'failed' || open.length > 0;
    // Not through where something of it failed: the others wait with the next step.
    const isThrough =
      !unsettled && outcome.conditions.every(({ reason }) => reason !== 'encryption_failed');
    init.keys?.applied(isThrough ? ring : undefined);
    return { requeueAfterMs: unsettled ? 1000 : resyncMs };
  }

  async function report(name: string, signal: AbortSignal): Promise<Outcome> {
    const status = statuses.get(name);
    const record = state.attachment(name);
    if (status === undefined || record === undefined) return { done: true };
    // What the control plane was told must not be unknown to the node after a loss of power.
    await state.barrier();
    try {
      await client.patch(
        attachmentResource,
        name,
        {
          kind: 'merge',
          body: { metadata: { uid: record.uid }, status: { error: null, ...status } },
        },
        { subresource: 'status', signal },
      );
    } catch (error) {
      const gone = isTaplineError(error, 'not_found') || isTaplineError(error, 'conflict');
      if (!gone && !isTaplineError(error, 'invalid')) throw error;
      log.info('attachment status dropped', { name, error: errorMessage(error) });
    }
    return { done: true };
  }

  return {
    synced,
    idle: () => applying.idle(),
    observe: () => fabric.observe(),
    async metrics() {
      const names = new Map(state.attachments().map(({ spec }) => [spec.vni, spec.segment]));
      return { names, fabric: await fabric.metrics() };
    },
    hasPort(owner, segment) {
      const own = state.attachments().find(({ spec }) => spec.segment === segment);
      return (
        own !== undefined &&
        placed.has(`${own.name} ${owner}`) &&
        own.spec.ports.some((port) => port.owner === owner && port.node === node)
      );
    },
    keysChanged() {
      applying.add(work);
    },
    namespaceChanged(owner) {
      placed = new Set([...placed].filter((id) => !id.endsWith(` ${owner}`)));
      for (const { name, spec } of state.attachments()) {
        if (spec.ports.some((port) => port.owner === owner)) intents.delete(name);
      }
      applying.add(work);
    },
    async [Symbol.asyncDispose]() {
      stopListening();
      await informer[Symbol.asyncDispose]();
      await applying[Symbol.asyncDispose]();
      await reports[Symbol.asyncDispose]();
    },
  };
}

function conditionOf(
  { spec }: AttachmentRecord,
  outcome: FabricOutcome,
  open: readonly string[],
): FabricCondition {
  const own = outcome.conditions.find(({ segment }) => segment === spec.segment);
  const ofNode = outcome.conditions.find(({ segment, ready }) => segment === undefined && !ready);
  if (own !== undefined && !own.ready) return own;
  if (outcome.state === 'failed') {
    const message = 'the kernel is not as it is wanted';
    return ofNode ?? { ready: false, reason: 'apply_failed', message };
  }
  const [first] = open;
  if (first !== undefined) {
    const message = `${open.length} commands are left to do, the first is: ${first}`;
    return { ready: false, reason: 'not_verified', message };
  }
  return own ?? { ready: true, reason: 'Applied', message: 'stands as it is wanted' };
}

import { type Clock, errorMessage, type Log, TaplineError } from '@tapline/base';
import {
  commandText,
  type CompiledNode,
  compileNode,
  type CompileOptions,
  encryptionOfOperation,
  isSegmentInterface,
  type FabricIntent,
  type NodeCapabilities,
  type NodeIntent,
  type NodeLayout,
  type NodeState,
  type Operation,
  ownState,
  planNode,
  type Refusal,
  renderOperation,
  takenVnis,
  underlayDevice,
  vniOfOperation,
  wholeState,
} from '@tapline/segments';
import type { Fabric, FabricOutcome } from './fabric.ts';
import { fabricConditions } from './fabric-conditions.ts';
import { StandingSegments } from './standing-segments.ts';
import type { ExecutionResult, FabricHelper, Reading } from './fabric-helper.ts';
import { fabricMetrics, metricReadings } from './fabric-metrics.ts';
import { isGone } from './keep-helper.ts';
import { applyParts, goesInParts } from './apply-parts.ts';
import { ownKeys } from './own-keys.ts';
import { observeKernel, readNode } from './observe-kernel.ts';
import { planPart } from './plan-part.ts';
import { watchDrift } from './watch-drift.ts';
import { linkMtu, underlayMtu } from './underlay-mtu.ts';

export interface FabricInit {
  /** Name of this node in intents. */
  readonly node: string;
  readonly helper: FabricHelper;
  readonly clock: Clock;
  readonly log: Log;
  readonly layout?: NodeLayout;
  /** How long drift may stay unseen where no event says anything; default 10 s. */
  readonly resyncMs?: number;
}

/** How many segments may be refused by the kernel itself before all of an apply is given up. */
const mostRetries = 8;
/** How long the kernel's events of what we did may take to arrive; the next look finds the rest. */
const echoMs = 250;
/** How long devices that were brought up go on to say so: by then who waits for us has its answer. */
const lateEchoMs = 1000;

export function createFabric(init: FabricInit): Fabric {
  const { node, helper, clock, log, layout = 'devices', resyncMs = 10_000 } = init;
  let kernel: ReturnType<FabricHelper['capabilities']> | undefined;
  let applied: CompiledNode | undefined;
  let capable: NodeCapabilities | undefined;
  /** What others have on the node, as it was seen last. */
  let surroundings: Pick<CompileOptions, 'taken' | 'underlay' | 'vlans'> = {};
  const standing = new StandingSegments();
  const keys = ownKeys(node, helper);
  /** Whether the kernel is known to have what `applied` says. */
  let certain = true;
  let executing = 0;
  let driftMended = 0;
  let running = 0;
  let lastDone = -Infinity;
  let queue: Promise<unknown> = Promise.resolve();

  async function inTurn<T>(work: () => Promise<T>): Promise<T> {
    running += 1;
    const result = queue.then(work).finally(() => {
      running -= 1;
      lastDone = clock.monotonic();
    });
    queue = result.catch(() => {});
    return await result;
  }

  async function askCapabilities(): ReturnType<FabricHelper['capabilities']> {
    try {
      return await helper.capabilities();
    } catch (error) {
      kernel = undefined;
      throw error;
    }
  }

  /** What was not answered may have been carried out in part. */
  async function execute(
    plan: readonly Operation[],
    options?: { readonly follows: boolean },
  ): Promise<ExecutionResult> {
    certain = false;
    executing += 1;
    try {
      const result = await helper.execute(plan, options);
      certain = result.done && executing === 1;
      return result;
    } finally {
      executing -= 1;
    }
  }

  async function converge(given: FabricIntent): Promise<FabricOutcome> {
    const intent = await keys.add(given);
    try {
      return (await applyPart(intent)) ?? (await applyWhole(intent));
    } catch (error) {
      if (!isGone(error)) throw error;
      // Where it is started again, all is looked at once more; where not, it says so at once.
      return await applyWhole(await keys.add(given));
    }
  }

  async function capabilitiesFor(state: NodeState, own: NodeIntent): Promise<NodeCapabilities> {
    kernel ??= askCapabilities();
    const found = {
      ...(await kernel),
      underlayMtu: underlayMtu(state, own.underlay),
      ...linkMtu(state, own.link?.interface),
    };
    // The same object as long as it says the same, so that what was compiled with it is taken over.
    if (JSON.stringify(found) !== JSON.stringify(capable)) capable = found;
    return capable ?? found;
  }

  function compile(
    intent: FabricIntent,
    options: {
      readonly capabilities: NodeCapabilities;
      readonly observed: NodeState;
      readonly previous?: CompiledNode | undefined;
    },
  ): CompiledNode {
    surroundings = {
      taken: takenVnis(options.observed, intent.vxlanPort),
      ...(layout === 'vlans' && { vlans: vlansOf(options.observed) }),
      underlay: underlayDevice(options.observed, ownNode(intent).underlay),
    };
    return compileNode(intent, {
      node,
      layout,
      ...surroundings,
      capabilities: options.capabilities,
      previous: options.previous,
    });
  }

  /** Looks at everything, and goes back to what it found where something fails. */
  async function applyWhole(given: FabricIntent): Promise<FabricOutcome> {
    let intent = given;
    const timings = { observeMs: 0, planMs: 0, applyMs: 0 };
    const failed: Refusal[] = [];
    let triedParts = false;
    for (;;) {
      const before = await timed('observeMs', async () => await observeKernel(helper));
      if (!triedParts && goesInParts(intent, before, layout)) {
        triedParts = true;
        const done = await timed('applyMs', async () => await applyInParts(intent, before));
        if (done !== undefined) return outcome({ ...done, timings });
        await rollBack(before);
        continue;
      }
      const { compiled, plan } = await timed('planMs', async () => {
        const capabilities = await capabilitiesFor(before, ownNode(intent));
        const segments = intent.segments.filter(({ vni }) => failed.every((r) => r.vni !== vni));
        const wanted = { ...intent, segments };
        let next = compile(wanted, { capabilities, observed: before });
        if (await keys.isLost(next.shared, before)) {
          // A machine that was started again, or a flush: with the same keys nothing is sent twice.
          log.warn('keys that were sent with are lost, and others are taken', {});
          await helper.renewKeys();
          intent = await keys.add(intent);
          next = compile({ ...intent, segments }, { capabilities, observed: before });
        }
        return { compiled: next, plan: planNode(wholeState(next), before) };
      });
      const result = await timed('applyMs', async () => await execute(plan));
      if (result.done) {
        // What was refused may be right the next time, so then all is looked at again.
        applied = failed.length > 0 ? undefined : { ...compiled, intent };
        standing.reset(compiled);
        const conditions = fabricConditions(standing, [...compiled.refused, ...failed]);
        return outcome({ conditions, operations: plan.length, timings });
      }
      await timed('applyMs', async () => await rollBack(before, compiled));
      applied = undefined;
      const operation = plan[result.failed];
      const refused = operation === undefined ? [] : refusalsOf(intent, { operation, result });
      if (refused.length === 0 || failed.length >= mostRetries) {
        throw new TaplineError('fabric_failed', `plan of node ${node} failed: ${result.message}`, {
          details: { operation: operation?.kind },
        });
      }
      for (const one of refused) log.warn('a segment was refused by the kernel', { ...one });
      failed.push(...refused);
    }

    async function timed<T>(name: keyof typeof timings, work: () => Promise<T>): Promise<T> {
      const start = clock.monotonic();
      const value = await work();
      timings[name] += clock.monotonic() - start;
      return value;
    }
  }

  /** Undefined where it is to be tried as a whole; then nothing is left of it. */
  async function applyInParts(
    intent: FabricIntent,
    observed: NodeState,
  ): Promise<Pick<FabricOutcome, 'conditions' | 'operations'> | undefined> {
    const capabilities = await capabilitiesFor(observed, ownNode(intent));
    const made = await applyParts(intent, {
      layout,
      compile: (part, previous) => compile(part, { capabilities, observed, previous }),
      execute,
    });
    if (made === undefined) return undefined;
    applied = { ...made.compiled, intent };
    standing.reset(made.compiled);
    return { conditions: standing.list(), operations: made.operations };
  }

  async function rollBack(before: NodeState, compiled?: CompiledNode): Promise<void> {
    const ends = [applied, compiled].flatMap((part) =>
      part === undefined
        ? []
        : [...part.segments.values()].flatMap(({ state }) => state.ends ?? []),
    );
    const plan = planNode(ownState(before, { ends }), await observeKernel(helper));
    const result = await helper.execute(plan);
    if (!result.done) log.error('going back failed, too', { message: result.message });
  }

  /** Only what differs from the last time, without looking; undefined where that cannot be. */
  async function applyPart(intent: FabricIntent): Promise<FabricOutcome | undefined> {
    const previous = applied;
    if (previous === undefined || capable === undefined || !certain) return;
    if (previous.refused.length > 0) return;
    const start = clock.monotonic();
    const compiled = compileNode(intent, {
      node,
      layout,
      previous,
      capabilities: capable,
      ...surroundings,
    });
    if (compiled.touched === undefined || compiled.refused.length > 0) return;
    // Whether keys that were sent with are lost has to be looked at.
    if (compiled.shared !== previous.shared && keys.sendEpoch !== undefined) return;
    // With the last segment, what they shared goes, too.
    if (compiled.segments.size === 0) return;
    const plan = planPart(compiled, previous);
    const planMs = clock.monotonic() - start;
    const result: ExecutionResult = plan.length === 0 ? { done: true } : await execute(plan);
    if (!result.done) return;
    applied = compiled;
    const applyMs = clock.monotonic() - start - planMs;
    const timings = { observeMs: 0, planMs, applyMs };
    standing.change(compiled, compiled.touched);
    return outcome({ conditions: standing.list(), operations: plan.length, timings });
  }

  async function resync(): Promise<void> {
    const last = applied;
    if (last === undefined) return;
    await inTurn(async () => {
      if (applied !== last) return;
      const { operations } = await applyWhole(last.intent);
      if (operations === 0) return;
      driftMended += 1;
      log.warn('the network was not as it had been left and was mended', { operations });
    });
  }

  const busy = (): boolean => running > 0 || clock.monotonic() - lastDone < echoMs;
  const drift = watchDrift({
    helper,
    clock,
    log,
    resyncMs,
    resync,
    busy,
    echoMs: () => Math.max(0, lastDone + lateEchoMs - clock.monotonic()),
  });

  function ownNode(intent: FabricIntent): NodeIntent {
    const found = intent.nodes.find(({ name }) => name === node);
    if (found !== undefined) return found;
    throw new TaplineError('node_unknown', `node ${node} is not in the intent`);
  }

  /** What is left to do, and what it was seen in. */
  async function look(given: FabricIntent, more: readonly Reading[]) {
    const intent = await keys.add(given);
    const { state: observed, outputs } = await readNode(helper, more);
    const capabilities = await capabilitiesFor(observed, ownNode(intent));
    const desired = wholeState(compile(intent, { capabilities, observed }));
    const macsec = capabilities.macsec === 'user-space' ? 'user-space' : 'kernel';
    const open = planNode(desired, observed).flatMap((operation) =>
      renderOperation(operation, { wireguardKeyFile: '(key file)', macsec }).map(commandText),
    );
    return { open, outputs };
  }

  async function metricsOf(outputs: Readonly<Partial<Record<Reading, string>>>) {
    return await fabricMetrics(outputs, {
      helper,
      clock,
      driftMended,
      sendEpoch: keys.sendEpoch,
    });
  }

  return {
    datapath: 'kernel',
    apply: async (intent) => await inTurn(async () => await converge(intent)),
    plan: async (intent) => await inTurn(async () => (await look(intent, [])).open),
    check: async (intent) =>
      await inTurn(async () => {
        const { open, outputs } = await look(intent, metricReadings);
        return { open, metrics: await metricsOf(outputs).catch(() => undefined) };
      }),
    observe: async () => await observeKernel(helper),
    metrics: async () => await metricsOf(await helper.read(metricReadings)),
    capabilities: async () => {
      const intent = applied?.intent;
      const state = await observeKernel(helper);
      if (intent !== undefined) return await capabilitiesFor(state, ownNode(intent));
      kernel ??= askCapabilities();
      const mtus = state.links.filter(({ name, kind }) => kind === '' && name !== 'lo');
      return { ...(await kernel), underlayMtu: Math.min(1500, ...mtus.map(({ mtu }) => mtu)) };
    },
    wireguardKey: async () => (await helper.wireguardKey()).publicKey,
    keys: async () => await helper.keys(),
    sealKeys: async (wanted) => await helper.sealKeys(wanted),
    async [Symbol.asyncDispose]() {
      await drift[Symbol.asyncDispose]();
      await queue;
      await helper[Symbol.asyncDispose]();
    },
  };
}

/** VLANs that VNIs have in the devices that are ours. */
function vlansOf({ vlans }: NodeState): ReadonlyMap<number, number> {
  return new Map(
    vlans.filter(({ dev }) => isSegmentInterface(dev)).map(({ vni, vlan }) => [vni, vlan]),
  );
}

function outcome(
  result: Pick<FabricOutcome, 'conditions' | 'operations' | 'timings'>,
): FabricOutcome {
  const converged = result.conditions.every(({ ready }) => ready);
  return { state: converged ? 'converged' : 'degraded', ...result };
}

/** The segments that an operation failed for; none where it is all of them. */
function refusalsOf(
  intent: FabricIntent,
  failure: {
    readonly operation: Operation;
    readonly result: Exclude<ExecutionResult, { readonly done: true }>;
  },
): readonly Refusal[] {
  const { operation, result } = failure;
  const encrypts = encryptionOfOperation(operation);
  if (encrypts !== undefined) {
    return intent.segments
      .filter(({ encryption }) => encryption.underlay === encrypts || encryption.link === encrypts)
      .map(({ name, vni }) => ({
        segment: name,
        vni,
        code: 'encryption_failed',
        message: `segment ${name} was refused, as ${encrypts} cannot be set up: ${result.message}`,
      }));
  }
  const vni = vniOfOperation(operation);
  const segment = intent.segments.find((entry) => entry.vni === vni);
  if (segment === undefined) return [];
  // A socket or VNI of somebody whom no list shows: the kernel says so when the device comes up.
  const taken = operation.kind === 'link-up' && operation.name.startsWith('tv');
  return [
    {
      segment: segment.name,
      vni: segment.vni,
      code: taken ? 'vni_taken' : 'segment_failed',
      message: taken
        ? `VNI ${segment.vni} of segment ${segment.name} is taken on UDP port ${intent.vxlanPort}: ${result.message}`
        : `segment ${segment.name} was refused: ${errorMessage(result.message)}`,
    },
  ];
}

import { type Channel, channelWorkloadName } from '@tapline/resources';
import type { FieldChange } from './operation.ts';
import { planMoveFrom } from './plan-node-step.ts';
import type { PlannedStep } from './planned-step.ts';
import { notPossible, type StepContext } from './step-context.ts';

/** Has every edge of a channel forget what it keeps, or use it only once it has asked its origin. */
export function planFlushChannel(context: StepContext): PlannedStep {
  const channel = channelOf(context);
  const { name } = channel.metadata;
  const { flush } = channel.spec;
  const generation = flush.generation + 1;
  const soft = context.step.soft === true;
  return {
    action: 'flush-cache',
    text: soft
      ? `have the edges of channel ${name} ask for all that they keep before they use it`
      : `have the edges of channel ${name} forget all that they keep`,
    operation: changeOf(channel, [
      { path: ['spec', 'flush', 'generation'], value: generation, was: flush.generation },
      { path: ['spec', 'flush', 'soft'], value: soft, was: flush.soft },
      // Whoever flushed last may have meant one object; this is all of them.
      { path: ['spec', 'flush', 'path'], value: null, was: flush.path ?? null },
    ]),
    check: { kind: 'channel-flushed', channel: name, generation },
    timeoutSeconds: context.timeoutSeconds,
  };
}

/** Has every edge of a channel fetch what players will ask for, paced as the channel says. */
export function planPrimeChannel(context: StepContext): PlannedStep {
  const channel = channelOf(context);
  const { name } = channel.metadata;
  const was = channel.spec.prime.generation;
  return {
    action: 'prime-cache',
    text: `have the edges of channel ${name} fetch what players ask for`,
    operation: changeOf(channel, [{ path: ['spec', 'prime', 'generation'], value: was + 1, was }]),
    check: { kind: 'channel-primed', channel: name, generation: was + 1 },
    timeoutSeconds: context.timeoutSeconds,
  };
}

/** Has a channel served elsewhere than on the first of its edges that is slow. */
export function planMoveChannel(context: StepContext): readonly PlannedStep[] {
  const { metadata, status = {} } = channelOf(context);
  const { edges = [] } = status;
  const slow = edges.filter((edge) => edge.slow === true).map(({ node }) => node);
  const [first] = slow.toSorted();
  if (first === undefined) throw notPossible(`no edge of channel ${metadata.name} is slow`);
  if (slow.length === edges.length && edges.length > 1) {
    throw notPossible(
      `all ${edges.length} edges of channel ${metadata.name} are slow, so it is not the nodes`,
      'look at its origin with tapline channel check',
    );
  }
  return planMoveFrom(context, { node: first, workload: channelWorkloadName(metadata.name) });
}

function changeOf({ metadata }: Channel, fields: readonly FieldChange[]) {
  const { name, uid = '' } = metadata;
  return { kind: 'change', object: { kind: 'Channel', name }, uid, fields } as const;
}

function channelOf({ target, fleet, step }: StepContext): Channel {
  const channel = target.kind === 'Channel' ? fleet.channels.get(target.name) : undefined;
  if (channel !== undefined) return channel;
  throw notPossible(`${step.action} needs a channel, and ${target.kind} ${target.name} is none`);
}

import { join } from 'node:path';
import type { Clock, Log, Rng } from '@tapline/base';
import type { ResourceClient } from '@tapline/client';
import type { AgentState } from '../agent-state.ts';
import { type ChannelAgent, createChannelAgent, type EdgeHealth } from './channel-agent.ts';
import { createChannelJobs } from './channel-jobs.ts';
import { createEdgeProgram, type EdgeSettings } from './edge-program.ts';

/** Has a node serve channels: its edge cache, and who tells that what to serve. */
export function openChannels(init: {
  readonly dataDirectory: string;
  readonly settings: EdgeSettings;
  readonly node: string;
  readonly url: () => string;
  readonly client: ResourceClient;
  readonly state: AgentState;
  readonly onEdge: (edge: EdgeHealth) => void;
  readonly clock: Clock;
  readonly rng: Rng;
  readonly log: Log;
}): AsyncDisposable & { readonly agent: ChannelAgent } {
  const { node, settings, clock, rng, log } = init;
  const late: { agent?: ChannelAgent } = {};
  const program = createEdgeProgram({
    directory: edgeDirectory(init.dataDirectory),
    name: node,
    settings,
    onRestart: () => late.agent?.restarted(),
    clock,
    rng,
    log,
  });
  const agent = createChannelAgent({ ...init, program, jobs: createChannelJobs({ clock, rng }) });
  late.agent = agent;
  return {
    agent,
    async [Symbol.asyncDispose]() {
      await agent[Symbol.asyncDispose]();
      await program[Symbol.asyncDispose]();
    },
  };
}

/** Of a node's edge cache: all of its files. */
export function edgeDirectory(dataDirectory: string): string {
  return join(dataDirectory, 'edge');
}

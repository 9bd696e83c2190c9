import type { Clock, Log, Rng } from '@tapline/base';
import type { AgentConfig } from '../agent-config.ts';
import type { AgentState } from '../agent-state.ts';
import type { EdgeHealth } from '../channels/channel-agent.ts';
import type { EdgeSettings } from '../channels/edge-program.ts';
import { endEdge } from '../channels/edge-record.ts';
import type { IdentityKeeper } from '../identity-keeper.ts';
import type { Connections } from '../open-connections.ts';
import { createKeyAgent } from './key-agent.ts';
import { openNodeFabric } from './open-node-fabric.ts';
import { readNodeFacts, underlayAddress } from './node-facts.ts';
import { createNodeReporter } from './node-reporter.ts';
import { createSegmentAgent, type SegmentAgent } from './segment-agent.ts';
import {
  createWorkloadPlaces,
  type WorkloadPlaces,
  workloadNamespaces,
} from './workload-places.ts';

/** A node's part in segments, with the privileged process that it takes. */
export async function openSegments(
  config: AgentConfig,
  init: {
    readonly device: string;
    readonly state: AgentState;
    readonly keeper: IdentityKeeper;
    readonly connections: Connections;
    readonly clock: Clock;
    readonly rng: Rng;
    readonly log: Log;
  },
): Promise<
  AsyncDisposable & {
    readonly agent: SegmentAgent;
    readonly places: WorkloadPlaces;
    readonly observe: () => Promise<unknown>;
    readonly refresh: () => void;
  }
> {
  const { device, state, keeper, connections, clock, rng, log } = init;
  // Loaded only on nodes: a device's agent stays small.
  const { isNamespace } = await import('@tapline/fabric');
  await using opened = new AsyncDisposableStack();
  const underlay = await knownUnderlay(state, keeper.server);
  const { helper, ...open } = await openNodeFabric({
    node: device,
    dataDirectory: config.dataDirectory,
    datapath: config.datapath,
    fabricHelper: config.fabricHelper,
    clock,
    rng,
    log,
  });
  const fabric = opened.use(open.fabric);
  const { client } = connections;
  const namespaces = workloadNamespaces(config.dataDirectory, isNamespace);
  const common = { node: device, client, state, fabric, clock, rng, log };
  const keys = opened.use(createKeyAgent({ ...common, onRing: () => agent.keysChanged() }));
  const agent: SegmentAgent = opened.use(
    createSegmentAgent({ ...common, underlay, keys, namespaceOf: namespaces.find }),
  );
  const places = createWorkloadPlaces({ helper, namespaces, agent, clock });
  const { edge } = config;
  const address = { current: underlay };
  const { openChannels, edgeDirectory } = await import('../channels/open-channels.ts');
  const { dataDirectory } = config;
  // Nothing is said of an edge that was not tried yet: what was known of it stays.
  let health: EdgeHealth = edge === undefined ? { edge: null, edgeError: null } : {};
  if (edge === undefined) await endEdge(edgeDirectory(dataDirectory), { clock });
  else {
    const onEdge = (next: EdgeHealth): void => {
      health = next;
      reporter.refresh();
    };
    const url = (): string => playersUrl(edge, address.current);
    opened.use(openChannels({ ...common, dataDirectory, settings: edge, url, onEdge }));
  }
  const reporter = opened.use(
    createNodeReporter({
      node: device,
      client,
      async read() {
        address.current = await knownUnderlay(state, keeper.server);
        const facts = await readNodeFacts(address.current, fabric);
        return { ...facts, ...health };
      },
      clock,
      rng,
      log,
    }),
  );
  const running = opened.move();
  return {
    agent,
    places,
    observe: () => agent.observe(),
    refresh: () => reporter.refresh(),
    [Symbol.asyncDispose]: () => running.disposeAsync(),
  };
}

/** Where players reach the channels of this node. */
function playersUrl(edge: EdgeSettings, underlay: string): string {
  if (edge.url !== undefined) return edge.url;
  const { host, port } = edge.listen;
  const address = host === '0.0.0.0' || host === '::' ? underlay : host;
  return `http://${address.includes(':') ? `[${address}]` : address}:${port}`;
}

/** The node's own address; the last one that it had where there is no way to anywhere now. */
async function knownUnderlay(state: AgentState, server: URL): Promise<string> {
  const key = 'underlay';
  try {
    const address = await underlayAddress(server);
    if (state.meta(key) !== address) state.putMeta(key, address);
    return address;
  } catch (error) {
    const last = state.meta(key);
    if (typeof last === 'string') return last;
    throw error;
  }
}

import { join } from 'node:path';
import { type Clock, type Log, type Rng, TaplineError } from '@tapline/base';
import type { Fabric, FabricHelper } from '@tapline/fabric';
import { macsecName, macTunnel, type SegmentPath, wireguardName } from '@tapline/segments';
import type { AgentConfig } from '../agent-config.ts';

/** Who carries frames of this node, and who makes places for programs. */
export async function openNodeFabric(init: {
  readonly node: string;
  readonly dataDirectory: string;
  readonly datapath: AgentConfig['datapath'];
  readonly fabricHelper: AgentConfig['fabricHelper'];
  readonly clock: Clock;
  readonly rng: Rng;
  readonly log: Log;
}): Promise<{ readonly fabric: Fabric; readonly helper: Pick<FabricHelper, 'namespace'> }> {
  const { node, dataDirectory, fabricHelper, clock, rng, log } = init;
  // Loaded only on nodes: a device's agent stays small.
  const {
    createFabric,
    createMacUnderlay,
    keepHelper,
    openSocketDatapath,
    openUserSpaceFabric,
    startHelper,
  } = await import('@tapline/fabric');
  const wireguardKeyFile = join(dataDirectory, 'wireguard.key');
  const bySockets = (underlay: Fabric, deviceOf: (path: SegmentPath) => string | undefined) =>
    openUserSpaceFabric({
      node,
      clock,
      underlayMtu: 1500,
      underlay,
      datapath: openSocketDatapath({ node, folder: join(dataDirectory, 'ports'), deviceOf }),
    });
  if (process.platform === 'darwin') {
    const underlay = createMacUnderlay({ node, clock, wireguardKeyFile });
    const fabric = await bySockets(underlay, (path) => (path === 'inside' ? macTunnel : undefined));
    return { fabric, helper: { namespace: () => Promise.reject(withoutNamespaces(node)) } };
  }
  const agreementKeyFile = join(dataDirectory, 'agreement.key');
  const start = () =>
    startHelper(
      fabricHelper === undefined
        ? { wireguardKeyFile, agreementKeyFile }
        : { socket: fabricHelper },
    );
  const helper = keepHelper({ start, clock, rng, log });
  const kernelInit = { node, helper, clock, log };
  const { bridge, vxlanGbp, nftables, clsBpf } = await helper.capabilities();
  const able = bridge && vxlanGbp && nftables && clsBpf;
  const { datapath = able ? 'kernel' : 'user-space' } = init;
  switch (datapath) {
    case 'kernel':
      return { fabric: createFabric({ ...kernelInit, layout: 'devices' }), helper };
    case 'kernel-vlans':
      return { fabric: createFabric({ ...kernelInit, layout: 'vlans' }), helper };
    case 'user-space': {
      const underlay = createFabric({ ...kernelInit, layout: 'underlay' });
      const fabric = await openUserSpaceFabric({ node, clock, underlayMtu: 1500, underlay });
      return { fabric, helper };
    }
    case 'sockets': {
      const underlay = createFabric({ ...kernelInit, layout: 'underlay' });
      return { fabric: await bySockets(underlay, encryptedDevice), helper };
    }
  }
}

function encryptedDevice(path: SegmentPath): string | undefined {
  if (path === 'underlay') return undefined;
  return path === 'inside' ? wireguardName : macsecName;
}

function withoutNamespaces(node: string): TaplineError {
  return new TaplineError(
    'module_missing',
    `node ${node} is a Mac, where no program runs in a segment: a machine is attached by a socket`,
  );
}

import { readFile } from 'node:fs/promises';
import { type Clock, TaplineError } from '@tapline/base';
import {
  compileNode,
  emptyState,
  type FabricIntent,
  type MacCommand,
  type MacState,
  macTunnel,
  type NodeCapabilities,
  parseIfconfig,
  parseNetstat,
  parseWireguard,
  planMac,
  privateKeyPlace,
  wholeState,
  wireguardName,
} from '@tapline/segments';
import type { Fabric } from '../fabric.ts';
import { type RunProgram, runProgram } from '../helper/run-program.ts';
import { wireguardKeyFile } from '../helper/wireguard-key-file.ts';

export interface MacUnderlayInit {
  readonly node: string;
  readonly clock: Clock;
  readonly wireguardKeyFile: string;
  /** As root; by default this process starts programs itself, and has to be that. */
  readonly run?: RunProgram;
  /** Of the device with the underlay's address. */
  readonly underlayMtu?: number;
}

/**
 * A Mac's device for segments: WireGuard by wireguard-go over utun. Frames are the socket data path's to
 * carry. Segments that ask for anything but WireGuard are refused. Not tested on a Mac.
 */
export function createMacUnderlay(init: MacUnderlayInit): Fabric {
  const { node, clock, run = runProgram, underlayMtu = 1500 } = init;
  const capabilities: NodeCapabilities = {
    underlayMtu,
    bridge: false,
    vxlanGbp: false,
    vnifilter: false,
    vlanFiltering: false,
    nftables: false,
    nftablesArp: false,
    clsBpf: false,
    wireguard: 'user-space',
    ipsec: false,
    macsec: 'none',
  };

  async function output(...words: readonly [string, ...string[]]): Promise<string> {
    const { code, stdout, stderr } = await run(words);
    if (code === 0) return stdout;
    throw failed(words, stderr);
  }

  /** For the input of a program alone; never in its words. */
  async function privateKey(): Promise<string> {
    await wireguardKeyFile(init.wireguardKeyFile);
    return (await readFile(init.wireguardKeyFile, 'utf8')).trim();
  }

  async function readMac(): Promise<MacState> {
    const [interfaces, routes, routes6, wireguard] = await Promise.all([
      output('ifconfig', '-a'),
      output('netstat', '-rn', '-f', 'inet'),
      output('netstat', '-rn', '-f', 'inet6'),
      output('wg', 'show', 'all', 'dump'),
    ]);
    return {
      interfaces: parseIfconfig(interfaces),
      routes: [...parseNetstat(routes), ...parseNetstat(routes6)],
      wireguard: parseWireguard(wireguard),
    };
  }

  async function look(intent: FabricIntent) {
    const observed = await readMac();
    const plain = intent.segments.filter(({ encryption }) => encryption.underlay !== 'wireguard');
    const refusals = plain.map(({ name, vni }) => ({
      segment: name,
      vni,
      code: 'module_missing',
      message: `segment ${name} does not ask for WireGuard, and node ${node} is a Mac, which carries no other`,
    }));
    const segments = intent.segments.filter((segment) => !plain.includes(segment));
    const compiled = compileNode(
      { ...intent, segments },
      { node, layout: 'underlay', capabilities },
    );
    const plan = planMac(wholeState(compiled), observed);
    return { plan, refused: [...refusals, ...compiled.refused] };
  }

  async function execute({ words, conf }: MacCommand): Promise<void> {
    const stdin = conf?.replace(privateKeyPlace, await privateKey());
    const { code, stderr } = await run(words, {
      ...(stdin !== undefined && { stdin }),
      detach: words[0] === 'wireguard-go',
    });
    if (code !== 0) throw failed(words, stderr);
  }

  const fabric: Fabric = {
    datapath: 'user-space',
    async apply(intent) {
      const start = clock.monotonic();
      const { plan, refused } = await look(intent);
      for (const command of plan) await execute(command);
      const bad = new Map(refused.map((one) => [one.vni, one]));
      const own = intent.segments.filter(({ ports }) => ports.some((port) => port.node === node));
      return {
        state: bad.size === 0 ? 'converged' : 'degraded',
        conditions: own.map(({ name, vni }) => ({
          segment: name,
          vni,
          ready: !bad.has(vni),
          reason: bad.get(vni)?.code ?? 'Applied',
          message: bad.get(vni)?.message ?? 'its devices are there',
        })),
        operations: plan.length,
        timings: { observeMs: 0, planMs: 0, applyMs: clock.monotonic() - start },
      };
    },
    plan: async (intent) => (await look(intent)).plan.map(({ words }) => words.join(' ')),
    check: async (intent) => ({ open: await fabric.plan(intent), metrics: undefined }),
    async observe() {
      const { interfaces, wireguard } = await readMac();
      return {
        ...emptyState,
        links: interfaces.map(({ name, up, mtu, mac = '' }) => ({
          name: asOnLinux(name),
          kind: name === macTunnel ? 'wireguard' : '',
          up,
          mtu,
          mac,
        })),
        addresses: interfaces.flatMap(({ name, addresses }) =>
          addresses.map((address) => ({ dev: asOnLinux(name), ...address })),
        ),
        wireguard: wireguard.map((device) => ({ ...device, dev: asOnLinux(device.dev) })),
      };
    },
    metrics: () =>
      Promise.resolve({ segments: [], drops: {}, handshakeAgeSeconds: {}, driftMended: 0 }),
    capabilities: () => Promise.resolve(capabilities),
    wireguardKey: async () => (await wireguardKeyFile(init.wireguardKeyFile)).publicKey,
    keys: () => Promise.reject(withoutKeys(node)),
    sealKeys: () => Promise.resolve([]),
    async [Symbol.asyncDispose]() {},
  };
  return fabric;
}

/** Who reads a node's state knows the tunnel by one name on all systems. */
function asOnLinux(name: string): string {
  return name === macTunnel ? wireguardName : name;
}

function failed(words: readonly string[], stderr: string): TaplineError {
  // A program that could not read its configuration may say what was in it.
  const said = stderr
    .replaceAll(/[A-Za-z0-9+/]{43}=/g, '<key>')
    .trim()
    .slice(0, 300);
  return new TaplineError('program_failed', `${words.join(' ')}: ${said}`);
}

function withoutKeys(node: string): TaplineError {
  return new TaplineError('module_missing', `node ${node} is a Mac and has no IPsec or MACsec`);
}

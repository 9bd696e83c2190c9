import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { silentLog, systemClock } from '@tapline/base';
import { createFabric, type Fabric, startHelper } from '@tapline/fabric';
import { settledMemory } from './settled-memory.ts';
import type { FabricIntent, NodeLayout, PortIntent, SegmentIntent } from '@tapline/segments';

/** A namespace that is a node with one underlay device, and a fabric in it. */
export interface BenchNode extends AsyncDisposable {
  readonly namespace: string;
  readonly fabric: Fabric;
  run(command: readonly [string, ...string[]], stdin?: string): string;
}

export function benchNode(
  name: string,
  options: { readonly layout?: NodeLayout; readonly underlay?: string } = {},
): BenchNode {
  const namespace = `tlbench${process.pid}-${name}`;
  const folder = mkdtempSync(join(tmpdir(), 'tapline-bench-'));
  execFileSync('ip', ['netns', 'add', namespace]);
  function run(command: readonly [string, ...string[]], stdin = ''): string {
    return execFileSync('nsenter', [`--net=/run/netns/${namespace}`, ...command], {
      input: stdin,
      encoding: 'utf8',
      maxBuffer: 2 ** 30,
    });
  }
  if (options.underlay === undefined) {
    run(
      ['ip', '-batch', '-'],
      'link set lo up\nlink add u0 type veth peer name u1\naddress add 192.0.2.1/24 dev u0\nlink set u0 up\nlink set u1 up\n',
    );
  }
  const helper = startHelper({
    prefix: ['nsenter', `--net=/run/netns/${namespace}`],
    wireguardKeyFile: join(folder, 'key'),
  });
  const fabric = createFabric({
    node: 'n1',
    helper,
    clock: systemClock,
    log: silentLog,
    resyncMs: 3_600_000,
    ...(options.layout !== undefined && { layout: options.layout }),
  });
  return {
    namespace,
    fabric,
    run,
    async [Symbol.asyncDispose]() {
      await fabric[Symbol.asyncDispose]();
      execFileSync('ip', ['netns', 'delete', namespace]);
      // The kernel takes thousands of devices down afterwards; its memory shows when it is done.
      await settledMemory();
      rmSync(folder, { recursive: true });
    },
  };
}

/** Segments of ten ports: one here, the others on nine more nodes. */
export function manySegments(
  count: number,
  options: { readonly ports: number; readonly every: number },
): FabricIntent {
  const nodes = Array.from({ length: options.ports }, (_, index) => ({
    name: `n${index + 1}`,
    vtep: `192.0.2.${index + 1}`,
    underlay: `192.0.2.${index + 1}`,
  }));
  const segments = Array.from({ length: count }, (_, number): SegmentIntent => {
    const base = `10.${number >> 12}.${(number >> 4) & 0xff}`;
    const start = (number & 0xf) * 16;
    return {
      name: `s${number}`,
      vni: 10_000 + number * options.every,
      subnet: `${base}.${start}/28`,
      mtu: 1400,
      encryption: { underlay: 'none', link: 'none' },
      communities: { a: 16 },
      ports: nodes.map((node, index): PortIntent => ({
        node: node.name,
        index: index + 1,
        incarnation: 1,
        owner: `w${index}`,
        addresses: [`${base}.${start + index + 1}`],
        role:
          index === 1
            ? { kind: 'promiscuous' }
            : index % 2 === 0
              ? { kind: 'community', community: 'a' }
              : { kind: 'isolated' },
        attach: { kind: 'host' },
      })),
    };
  });
  return { vxlanPort: 4789, nodes, segments };
}

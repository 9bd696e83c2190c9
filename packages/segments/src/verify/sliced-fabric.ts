import type { CodeBuffer } from './code-table.ts';
import { CodeTable } from './code-table.ts';
import type { FabricModel } from './fabric-model.ts';
import type { SegmentNames } from './place-form.ts';
import { readSegmentClaim, type SegmentClaim } from './segment-claim.ts';
import type { SliceGuide } from './segment-slice.ts';
import { type SlicedNode, sliceNode } from './slice-node.ts';

/** Which segments are alike but for names, and which may be different after a node is. */
export class SlicedFabric {
  readonly #fabric: FabricModel;
  readonly #table = new CodeTable();
  readonly #buffers: CodeBuffer[] = [];
  readonly #guide: SliceGuide = { head: undefined, elements: undefined };
  readonly #segments = new Map<number, SegmentClaim>();
  readonly #underlays: ReadonlyMap<string, string>;
  readonly #nodes = new Map<string, SlicedNode>();

  constructor(fabric: FabricModel) {
    this.#fabric = fabric;
    const { claim, segments } = fabric.index;
    const nodes = new Map(claim.nodes.map((node) => [node.name, node]));
    this.#underlays = new Map(
      claim.nodes.map(({ name, underlay, link }) => [name, link?.address ?? underlay]),
    );
    for (const segment of claim.segments) {
      const ports = segments.get(segment.vni) ?? [];
      const read = readSegmentClaim(segment, ports, { nodes, table: this.#table });
      this.#segments.set(segment.vni, read);
    }
    for (const name of fabric.states.keys()) this.#slice(name);
  }

  /**
   * Equal for segments that are the same to the verifier but for what things are called; undefined
   * where a segment is like no other, since something is on its nodes that is of more than one.
   */
  shapeOf(vni: number): string | undefined {
    const claim = this.#segments.get(vni);
    if (claim === undefined) return undefined;
    let shape = `${claim.shape}`;
    for (const { name, vtep, underlay, link } of claim.nodes) {
      const node = this.#nodes.get(name);
      const code = node?.slices.get(vni)?.code;
      const own = [vtep, underlay, link?.address ?? underlay];
      const owners = own.map((address) => this.#fabric.ownerOf(address));
      if (node === undefined || code === undefined) return undefined;
      if (owners.some((owner) => owner?.node !== name)) return undefined;
      shape += ` ${node.shared} ${code} ${owners.map((owner) => owner?.device).join(' ')}`;
    }
    return shape;
  }

  namesOf(vni: number): SegmentNames {
    const nodes = (this.#segments.get(vni)?.nodes ?? []).map(({ name }) => ({
      name,
      tunnels: this.#nodes.get(name)?.slices.get(vni)?.tunnels ?? [],
    }));
    return { vni, nodes };
  }

  /** A node of the fabric is another; returns the segments that may be different. */
  update(name: string): readonly number[] {
    const before = this.#nodes.get(name);
    const after = this.#slice(name);
    const vnis = new Set([...(before?.slices.keys() ?? []), ...(after?.slices.keys() ?? [])]);
    if (before?.shared !== after?.shared) return [...vnis];
    return [...vnis].filter((vni) => {
      const [old, now] = [before?.slices.get(vni)?.code, after?.slices.get(vni)?.code];
      return old === undefined || old !== now;
    });
  }

  #slice(name: string): SlicedNode | undefined {
    const state = this.#fabric.states.get(name);
    if (state === undefined) {
      this.#nodes.delete(name);
      return undefined;
    }
    const sliced = sliceNode(
      state,
      {
        segments: this.#segments,
        devices: this.#fabric.index.devices.get(name) ?? new Map(),
        underlay: this.#underlays.get(name) ?? '',
        vxlanPort: this.#fabric.index.claim.vxlanPort,
        table: this.#table,
        buffers: this.#buffers,
        guide: this.#guide,
      },
      this.#nodes.get(name),
    );
    this.#nodes.set(name, sliced);
    return sliced;
  }
}

import {
  type Attachment,
  attachmentName,
  type Channel,
  type ChannelEdge,
  channelEdgeName,
  type ChannelEdgeState,
  type Device,
  type Node,
  type Segment,
  type Workload,
} from '@tapline/resources';

/** What a channel's plan looks at, out of the local copies. */
export interface ChannelView {
  readonly workload: Workload | undefined;
  readonly edges: readonly ChannelEdge[];
  readonly segment: Segment | undefined;
  readonly attachment: (name: string) => Attachment | undefined;
  readonly device: (name: string) => Device | undefined;
  readonly node: (name: string) => Node | undefined;
  readonly nowMs: number;
}

/** A node with the channel, or that is to have it. */
export interface SeenEdge {
  readonly node: string;
  readonly epoch: number;
  readonly edge: ChannelEdge | undefined;
  /** Whether it is connected. */
  readonly there: boolean;
  /** Whether the segment stands there, where there has to be one. */
  readonly attached: boolean;
  readonly url: string | undefined;
  readonly state: ChannelEdgeState['state'];
}

/** Where the channel is by its Workload, and where it still is though it has been taken away. */
export function seenEdges(
  { metadata, spec }: Channel,
  view: ChannelView,
): { readonly placed: readonly SeenEdge[]; readonly withdrawn: readonly SeenEdge[] } {
  const byName = new Map(view.edges.map((edge) => [edge.metadata.name, edge]));
  const placements = view.workload?.status?.placements ?? [];
  const seen = (node: string, epoch: number, leaving: boolean): SeenEdge => {
    const edge = byName.get(channelEdgeName(node, metadata.name));
    const there = view.device(node)?.status?.presence?.connected === true;
    const attached =
      spec.segment === undefined ||
      view.attachment(attachmentName(node, spec.segment))?.status?.state === 'Ready';
    const current = edge?.status?.observedEpoch === epoch ? edge.status : undefined;
    const state = current?.state ?? 'Starting';
    return {
      node,
      epoch,
      edge,
      there,
      attached,
      url: current?.url ?? view.node(node)?.status?.edge?.url,
      state: !there
        ? 'Lost'
        : leaving && (state === 'Serving' || state === 'Ready')
          ? 'Leaving'
          : state,
    };
  };
  const placedNames = new Set(placements.map(({ node }) => node));
  return {
    placed: placements.map(({ node, epoch, state }) => seen(node, epoch, state === 'Leaving')),
    withdrawn: view.edges
      .filter((edge) => !placedNames.has(edge.spec.node))
      .map((edge) => seen(edge.spec.node, edge.spec.epoch, true)),
  };
}

/** Whether players can be sent to it. */
export function isServing({ state }: SeenEdge): boolean {
  return state === 'Serving' || state === 'Ready' || state === 'Leaving';
}

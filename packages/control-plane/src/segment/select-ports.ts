import {
  type Device,
  type Install,
  matchesLabels,
  parseLabelSelector,
  type SegmentSpec,
} from '@tapline/resources';
import type { PortRole, WantedPort } from '@tapline/segments';

/** Who could be attached. */
export interface PortCandidate {
  readonly owner: string;
  readonly node: string;
  readonly labels: Readonly<Record<string, string>>;
}

export interface SelectedPorts {
  /** In the order of their owners' names, which is the order in which numbers are given out. */
  readonly ports: readonly WantedPort[];
  /** Rules that select nobody. */
  readonly empty: readonly string[];
}

/** Nodes that a segment may be on. */
export function selectNodes(spec: SegmentSpec, devices: readonly Device[]): readonly Device[] {
  const requirements = spec.nodes === undefined ? [] : parseLabelSelector(spec.nodes);
  return devices.filter(
    ({ spec: { role }, metadata }) =>
      role === 'node' &&
      metadata.deletionTimestamp === undefined &&
      matchesLabels(requirements, metadata.labels),
  );
}

/** Each node's own port, and those of programs that are to be in the segment. */
export function portCandidates(
  nodes: readonly Device[],
  installs: readonly Install[],
): readonly PortCandidate[] {
  const labelsOf = new Map(nodes.map(({ metadata }) => [metadata.name, metadata.labels ?? {}]));
  return [
    ...[...labelsOf].map(([name, labels]) => ({ owner: name, node: name, labels })),
    ...installs.flatMap(({ metadata, spec }) => {
      const labels = labelsOf.get(spec.device);
      if (labels === undefined || metadata.deletionTimestamp !== undefined) return [];
      const own = { ...labels, ...spec.segment?.labels };
      return [{ owner: metadata.name, node: spec.device, labels: own }];
    }),
  ];
}

/** What the rules of a segment make of candidates; the first rule that selects one counts. */
export function selectPorts(
  rules: NonNullable<SegmentSpec['ports']>,
  candidates: readonly PortCandidate[],
): SelectedPorts {
  const parsed = rules.map((rule) => ({ rule, requirements: parseLabelSelector(rule.select) }));
  const used = new Set<string>();
  const ports = candidates.flatMap(({ owner, node, labels }): readonly WantedPort[] => {
    const found = parsed.find(({ requirements }) => matchesLabels(requirements, labels));
    if (found === undefined) return [];
    used.add(found.rule.select);
    return [{ owner, node, role: roleOf(found.rule) }];
  });
  return {
    ports: ports.toSorted((a, b) => (a.owner < b.owner ? -1 : 1)),
    empty: rules.map(({ select }) => select).filter((select) => !used.has(select)),
  };
}

function roleOf({
  type,
  community = 'default',
}: NonNullable<SegmentSpec['ports']>[number]): PortRole {
  return type === 'community' ? { kind: 'community', community } : { kind: type };
}

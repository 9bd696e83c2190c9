import { emptyState } from '../state/empty-state.ts';
import type { NodeState } from '../state/node-state.ts';
import { egressProgram } from './egress-program.ts';
import { elementTables } from './element-tables.ts';
import { segmentElements } from './segment-elements.ts';
import { segmentFdb, segmentNeighbours } from './segment-fdb.ts';
import { segmentEnds, segmentLinks } from './segment-links.ts';
import type { SegmentView } from './segment-view.ts';

/** What one segment adds to its node's state; its tables have elements and no chains. */
export function compileSegment(view: SegmentView): NodeState {
  return {
    ...emptyState,
    links: segmentLinks(view),
    fdb: segmentFdb(view),
    neighbours: segmentNeighbours(view),
    egress: view.local.map(({ name, groups }) => ({
      dev: name,
      preference: 1,
      program: egressProgram(groups),
    })),
    nft: { tables: elementTables(segmentElements(view)) },
    ends: segmentEnds(view),
  };
}

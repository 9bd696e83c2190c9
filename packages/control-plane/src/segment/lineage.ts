import { TaplineError } from '@tapline/base';
import type { Segment } from '@tapline/resources';
import { defaultFabric, isParent } from './allocation-name.ts';

const maxDepth = 16;

/**
 * The parents of a segment, from the nearest on. Throws `parent_unknown`, `parent_cycle`,
 * `parent_leases_nothing`, `parent_too_deep`, `fabric_of_parent`.
 */
export function lineageOf(
  segment: Segment,
  find: (name: string) => Segment | undefined,
): readonly Segment[] {
  const names = [segment.metadata.name];
  const parents: Segment[] = [];
  let at = segment;
  while (at.spec.parent !== undefined) {
    const name = at.spec.parent;
    if (names.includes(name)) {
      throw new TaplineError(
        'parent_cycle',
        `segments are their own parents: ${[...names.slice(names.indexOf(name)), name].join(' in ')}`,
      );
    }
    const parent = find(name);
    if (parent === undefined || parent.metadata.deletionTimestamp !== undefined) {
      const is = parent === undefined ? 'does not exist' : 'is being deleted';
      throw new TaplineError(
        'parent_unknown',
        `parent ${name} of segment ${at.metadata.name} ${is}`,
      );
    }
    if (!isParent(parent)) {
      throw new TaplineError(
        'parent_leases_nothing',
        `parent ${name} of segment ${at.metadata.name} has no VNIs to lease`,
        { hint: `give segment ${name} a block with spec.vnis.size` },
      );
    }
    names.push(name);
    parents.push(parent);
    if (parents.length > maxDepth) {
      throw new TaplineError(
        'parent_too_deep',
        `segment ${segment.metadata.name} has more than ${maxDepth} parents: ${names.join(' in ')}`,
      );
    }
    at = parent;
  }
  const fabric = fabricOf(at);
  if (segment.spec.fabric !== undefined && segment.spec.fabric !== fabric) {
    throw new TaplineError(
      'fabric_of_parent',
      `segment ${segment.metadata.name} wants fabric ${segment.spec.fabric}, its parent is in ${fabric}`,
    );
  }
  return parents;
}

/** The fabric of a segment without parent. */
export function fabricOf(root: Segment): string {
  return root.spec.fabric ?? defaultFabric;
}

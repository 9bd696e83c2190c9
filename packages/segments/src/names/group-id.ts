import { TaplineError } from '@tapline/base';
import type { PortRole } from '../intent/port-role.ts';

/**
 * The group policy id that a frame bears, as its mark in a node and on the wire (VXLAN-GBP,
 * draft-smith-vxlan-group-policy-05). 0 is what nobody vouched for; it reaches nothing.
 */
export const promiscuousGroup = 1;
export const isolatedGroup = 2;
export const firstCommunityGroup = 16;
export const lastCommunityGroup = 0xffff;

/** Throws `community_unknown` where the segment's record has no id for it. */
export function groupId(role: PortRole, communities: Readonly<Record<string, number>>): number {
  switch (role.kind) {
    case 'promiscuous':
      return promiscuousGroup;
    case 'isolated':
      return isolatedGroup;
    case 'community': {
      const id = communities[role.community];
      if (id === undefined || id < firstCommunityGroup || id > lastCommunityGroup) {
        throw new TaplineError(
          'community_unknown',
          `community ${role.community} has no group id from ${firstCommunityGroup} to ${lastCommunityGroup} (${id ?? 'none'})`,
        );
      }
      return id;
    }
  }
}

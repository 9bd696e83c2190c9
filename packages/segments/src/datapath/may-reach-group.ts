import { firstCommunityGroup, promiscuousGroup } from '../names/group-id.ts';

/** `mayReach` for the groups that frames bear; 0 and ids that stand for nothing reach nothing. */
export function mayReachGroup(from: number, to: number): boolean {
  if (from === promiscuousGroup) return to > 0;
  if (to === promiscuousGroup) return from > 0;
  return from === to && from >= firstCommunityGroup;
}

import { hash } from 'node:crypto';

/**
 * Rendezvous hashing: the members in the order in which they are asked for a key. Taking a member away
 * moves only its own keys.
 */
export function rankMembers(key: string, members: readonly string[]): readonly string[] {
  return members
    .map((member) => ({ member, weight: hash('sha256', `${member} ${key}`, 'hex') }))
    .toSorted((one, other) => (one.weight < other.weight ? 1 : -1))
    .map(({ member }) => member);
}

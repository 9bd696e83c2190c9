import type { NftChain, NftRule } from '../state/nft-ruleset.ts';

/** Builders of libnftables-json(5), in the form in which `nft -j list` prints a rule back. */
export function meta(key: string): unknown {
  return { meta: { key } };
}

export function field(protocol: string, name: string): unknown {
  return { payload: { protocol, field: name } };
}

export function concat(...parts: readonly unknown[]): unknown {
  return { concat: parts };
}

/** Only these bits of it. */
export function and(left: unknown, bits: number): unknown {
  return { '&': [left, bits] };
}

export function is(left: unknown, right: unknown): unknown {
  return { match: { op: '==', left, right } };
}

export function not(left: unknown, right: unknown): unknown {
  return { match: { op: '!=', left, right } };
}

export function below(left: unknown, right: number): unknown {
  return { match: { op: '<', left, right } };
}

/** Sets the frame's mark. */
export function mark(value: unknown): unknown {
  return { mangle: { key: meta('mark'), value } };
}

/** Counts in a set that has counters; ends the rule where the set is full. */
export function update(set: string, key: unknown): unknown {
  return { set: { op: 'update', elem: key, set: `@${set}` } };
}

/** Counts and drops. */
export function deny(counter: string): readonly unknown[] {
  return [{ counter }, { drop: null }];
}

export function rule(...statements: readonly unknown[]): NftRule {
  return { statements };
}

export function baseChain(
  name: string,
  [hook, priority]: readonly [string, number],
  rules: readonly NftRule[],
): NftChain {
  return { name, base: { type: 'filter', hook, priority, policy: 'accept' }, rules };
}

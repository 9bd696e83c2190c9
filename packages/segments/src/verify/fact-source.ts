import { describePort, endpointOf } from './describe-path.ts';
import type { Fact } from './fact.ts';
import type { Endpoint } from './verdict.ts';

/** Where frames of a fact entered the fabric. */
export function rootOf(fact: Fact): Fact {
  let root = fact;
  while (root.origin !== undefined) root = root.origin.fact;
  return root;
}

export function sourceOf(fact: Fact): Endpoint | undefined {
  const [port] = rootOf(fact).ports;
  return port === undefined ? undefined : endpointOf(port);
}

export function describeSource(fact: Fact): string {
  const [port] = rootOf(fact).ports;
  return port === undefined ? 'a port' : describePort(port);
}

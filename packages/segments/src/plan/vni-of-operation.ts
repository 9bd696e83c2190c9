import type { Operation } from './operation.ts';

/** The segment that an operation is of; undefined for what segments share. */
export function vniOfOperation(operation: Operation): number | undefined {
  if ('tunnel' in operation) return operation.tunnel.vni;
  if ('arrival' in operation) return operation.arrival.vni;
  if ('range' in operation && operation.range.first === operation.range.last) {
    return operation.range.first;
  }
  if ('entry' in operation && operation.entry.srcVni !== undefined) return operation.entry.srcVni;
  const name = deviceOf(operation);
  if (name === undefined) return undefined;
  const [, decimal, port] = /^(?:t[bv]([0-9]+)|tp([0-9a-z]+)\..*)$/.exec(name) ?? [];
  // With zeros in front it is of more than one.
  if (decimal !== undefined) return decimal.startsWith('0') ? undefined : Number(decimal);
  return port === undefined ? undefined : Number.parseInt(port, 36);
}

function deviceOf(operation: Operation): string | undefined {
  switch (operation.kind) {
    case 'link-add':
      return operation.link.name;
    case 'link-set':
    case 'link-up':
    case 'link-delete':
      return operation.name;
    case 'end-place':
      return operation.end.port;
    case 'fdb-add':
    case 'fdb-delete':
      return operation.entry.dev;
    case 'neighbour-add':
    case 'neighbour-delete':
      return operation.neighbour.dev;
    case 'egress-set':
      return operation.filter.dev;
    case 'vlan-add':
    case 'vlan-delete':
      return operation.member.dev;
    default:
      return undefined;
  }
}

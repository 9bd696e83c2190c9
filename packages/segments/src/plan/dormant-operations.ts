import type { Operation } from './operation.ts';

/**
 * Indexes of operations that only touch devices which the same plan adds, before it brings them up.
 * Such a device passes no frame, whatever the rules are at that moment.
 */
export function dormantOperations(operations: readonly Operation[]): ReadonlySet<number> {
  const down = new Set<string>();
  const found = new Set<number>();
  operations.forEach((operation, index) => {
    switch (operation.kind) {
      case 'link-add':
        // wireguard-go's device is up as soon as it is there.
        if (operation.link.kind === 'tun' || operation.link.kind === 'wireguard') return;
        down.add(operation.link.name);
        found.add(index);
        return;
      case 'link-up':
        down.delete(operation.name);
        return;
      case 'fdb-add':
        if (down.has(operation.entry.dev)) found.add(index);
        return;
      case 'egress-set':
        if (down.has(operation.filter.dev)) found.add(index);
        return;
      case 'vni-add':
        if (down.has(operation.range.dev)) found.add(index);
        return;
      case 'vlan-add':
        if (down.has(operation.member.dev)) found.add(index);
        return;
      case 'tunnel-add':
        if (down.has(operation.tunnel.dev)) found.add(index);
        return;
      case 'hook-add':
        if (down.has(operation.dev)) found.add(index);
        return;
      case 'arrival-add':
        if (down.has(operation.arrival.dev)) found.add(index);
        return;
      default:
        return;
    }
  });
  return found;
}

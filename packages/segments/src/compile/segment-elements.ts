import { targetText } from '../address/target-text.ts';
import type { NftSetName } from './nft-tables.ts';
import { guardElements } from './segment-peers.ts';
import type { LocalPort, RemotePort, SegmentView } from './segment-view.ts';

/** What a segment adds to the tables' sets and maps, by their names. */
export type NftElements = ReadonlyMap<NftSetName, readonly unknown[]>;

export function segmentElements(view: SegmentView): NftElements {
  const elements = new Map<NftSetName, unknown[]>();
  function add(name: NftSetName, ...values: readonly unknown[]): void {
    const list = elements.get(name);
    if (list === undefined) elements.set(name, [...values]);
    else list.push(...values);
  }
  for (const port of view.local) addLocal(port, view, add);
  for (const port of view.remote) add('remote', key(view.vxlan, port.mac, port.group));
  for (const group of view.groupsToOverlay) add('allow', key(group, view.vxlan));
  for (const [name, guards] of guardElements(view.segment.vni, view)) add(name, ...guards);
  return elements;
}

type Add = (name: NftSetName, ...values: readonly unknown[]) => void;

function addLocal(port: LocalPort, view: SegmentView, add: Add): void {
  const { name, mac } = port;
  add('groups', [key(name, mac), port.group]);
  for (const group of port.groups) add('allow', key(group, name));
  // A probe asks for an address before it has one (RFC 5227).
  add('arp_sources', ...[...port.addresses4, '0.0.0.0'].map((ip) => key(name, mac, ip)));
  add('sources4', ...port.addresses4.map((ip) => key(name, ip)));
  add('sources6', ...[...port.addresses6, '::'].map((ip) => key(name, ip)));
  add('nd_sources', ...port.addresses6.map((ip) => key(name, targetText(ip))));
  // Its own, too: whoever announces itself asks for its own address.
  const reached: readonly (LocalPort | RemotePort)[] = [port, ...view.reachedFrom(port)];
  for (const other of reached) {
    add('arp_targets', ...other.addresses4.map((ip) => key(name, ip)));
    add('nd_targets', ...other.addresses6.map((ip) => key(name, targetText(ip))));
  }
  if (!view.answers) return;
  for (const other of view.remoteReachedFrom(port)) {
    add('answers', ...other.addresses4.map((ip) => [key(name, ip), other.group]));
  }
}

function key(...parts: readonly unknown[]): unknown {
  return { concat: parts };
}

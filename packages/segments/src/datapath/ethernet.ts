/** Numbers of IEEE 802 and IANA that the switch looks at. */
export const etherType = { ipv4: 0x0800, arp: 0x0806, ipv6: 0x86dd } as const;

/** Tags: what is behind them would pass unlooked at, and some hosts take it for untagged. */
export const tagTypes: ReadonlySet<number> = new Set([0x8100, 0x88a8, 0x9100, 0x9200]);

/** Below it is a length (IEEE Std 802.3 §3.2.6), and LLC behind it. */
export const firstEtherType = 0x0600;

export const ethernetHeaderBytes = 14;

export const ipProtocol = { udp: 17, icmpv6: 58 } as const;

export const icmpv6Type = {
  routerSolicitation: 133,
  routerAdvertisement: 134,
  neighbourSolicitation: 135,
  neighbourAdvertisement: 136,
  redirect: 137,
} as const;

/** Whether the address at `at` is of a group: broadcast and multicast. */
export function isGroupAddress(bytes: Uint8Array, at: number): boolean {
  return ((bytes[at] ?? 0) & 1) !== 0;
}

/** 01-80-C2-00-00-0X: for the bridge itself, never forwarded (IEEE Std 802.1Q §8.6.3). */
export function isReservedAddress(bytes: Uint8Array, at: number): boolean {
  return (
    bytes[at] === 0x01 &&
    bytes[at + 1] === 0x80 &&
    bytes[at + 2] === 0xc2 &&
    bytes[at + 3] === 0 &&
    bytes[at + 4] === 0 &&
    ((bytes[at + 5] ?? 0) & 0xf0) === 0
  );
}

import { macsecOverhead } from '../datapath/macsec/macsec-sender.ts';
import type { Encryption } from '../intent/segment-intent.ts';

/** IPv4 40 less: outer Ethernet is not counted, inner Ethernet 14, VXLAN 8, UDP 8. */
const vxlanOverhead = { 4: 50, 6: 70 } as const;
/** WireGuard reckons with IPv6 outside: 40 + 8 + 32. */
export const wireguardOverhead = 80;
/** SPI and sequence 8, IV 8, padding up to 2, trailer 2, ICV 16, rounded up to 4. */
const ipsecOverhead = 34;

/** IPv6 asks for that much of every link (RFC 8200 §5). */
export const leastMtu = 1280;

/** What is left for a port of an underlay's MTU. Jumbo frames up to what a veth takes. */
export function segmentMtu(
  underlayMtu: number,
  options: { readonly encryption: Encryption; readonly family: 4 | 6 },
): number {
  const { encryption, family } = options;
  const link = encryption.link === 'macsec' ? macsecOverhead : 0;
  switch (encryption.underlay) {
    case 'none':
      return underlayMtu - link - vxlanOverhead[family];
    case 'wireguard':
      return underlayMtu - link - wireguardOverhead - vxlanOverhead[family];
    case 'ipsec':
      return underlayMtu - link - ipsecOverhead - vxlanOverhead[family];
  }
}

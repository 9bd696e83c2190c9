import type { Finding } from './finding.ts';
import type { PathObservation } from './path-observation.ts';

// RFC 8200 §5: what every link of IPv6 takes, and what VPNs in VPNs come down to.
const smallMtu = 1280;

/** Whether large packets get through, and how large they may be. */
export function judgePathMtu({ bulk, route }: PathObservation): readonly Finding[] {
  if (bulk === undefined) return [];
  const { socket, sentBytes } = bulk;
  const linkMtu = route?.mtu;
  const details = {
    ...(socket === undefined
      ? {}
      : { pathMtu: socket.pathMtu, retransmissions: socket.retransmissions }),
    ...(linkMtu === undefined ? {} : { linkMtu }),
  };
  if (!bulk.answered) {
    return [
      {
        code: 'path_mtu_black_hole',
        level: 'error',
        message: `small requests are answered, and ${sentBytes} bytes in full packets are not: something on the way drops them without a word`,
        hint: `lower the MTU of ${route?.device ?? 'the device to it'}, or let ICMP "fragmentation needed" pass`,
        details,
      },
    ];
  }
  if (socket === undefined) {
    const message = `${sentBytes} bytes in full packets get through; how large those are is not known here`;
    return [{ code: 'path_mtu_unknown', level: 'note', message, details }];
  }
  const { pathMtu } = socket;
  const narrower = linkMtu !== undefined && pathMtu < linkMtu ? ` (the link's is ${linkMtu})` : '';
  if (pathMtu < smallMtu) {
    return [
      {
        code: 'path_mtu_small',
        level: 'warning',
        message: `packets of ${pathMtu} bytes get through${narrower}, fewer than ${smallMtu}`,
        hint: 'see whether one tunnel runs inside another',
        details,
      },
    ];
  }
  const message = `packets of ${pathMtu} bytes get through${narrower}`;
  return [{ code: 'path_mtu_ok', level: 'ok', message, details }];
}

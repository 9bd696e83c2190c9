import type { Finding } from './finding.ts';
import type { PathObservation } from './path-observation.ts';

// Of what was sent through the tunnel, the share that the connection around it must have grown by. It
// is random text, six bits in eight: a VPN that compresses cannot make less of it.
const carriedShare = 0.7;

/** Whether the way leads through a VPN of this machine, and whether that is TCP again. */
export function judgeTunnel({ route, bulk }: PathObservation): readonly Finding[] {
  if (route === undefined) return [];
  const { device, kind, program } = route;
  const by = program === undefined ? '' : ` of ${program}`;
  const details = { device, ...(program === undefined ? {} : { program }) };
  if (kind === 'wireguard' || kind === 'vxlan') {
    const message = `the way leads through ${device}, which sends datagrams`;
    return [{ code: 'tunnel_datagrams', level: 'ok', message, details }];
  }
  if (kind !== 'tun' && kind !== 'ppp') {
    const message = `the way leads through ${device}, no tunnel of this machine`;
    return [{ code: 'tunnel_none', level: 'ok', message, details }];
  }
  if (bulk?.others === undefined || !bulk.answered) {
    return [
      {
        code: 'tunnel_transport_unknown',
        level: 'note',
        message: `the way leads through ${device}${by}; what that is carried by could not be seen`,
        hint: 'install iproute2, which has ss, and run this again',
        details,
      },
    ];
  }
  // Where the program is known, no other one's upload is taken for it.
  const carrier = bulk.others.find(
    (one) =>
      one.sentBytes >= bulk.sentBytes * carriedShare &&
      (program === undefined || one.program === program),
  );
  if (carrier === undefined) {
    const message = `the way leads through ${device}${by}, which sends datagrams`;
    return [{ code: 'tunnel_datagrams', level: 'ok', message, details }];
  }
  return [
    {
      code: 'tunnel_tcp_in_tcp',
      level: 'warning',
      message: `TCP in TCP: the way leads through ${device}${by}, which is one TCP connection to ${carrier.peer}; what that loses is sent twice, and what waits in it delays everything`,
      hint: 'let UDP pass to the VPN gateway, so that AnyConnect uses DTLS',
      details: { ...details, carrier: carrier.peer },
    },
  ];
}

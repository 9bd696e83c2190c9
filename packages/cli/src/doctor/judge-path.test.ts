import { expect, test } from 'vitest';
import type { Finding } from './finding.ts';
import { judgePath } from './judge-path.ts';
import { parseLink, parseRouteDevice } from './parse-route.ts';
import { parseSockets } from './parse-sockets.ts';
import type { PathObservation } from './path-observation.ts';

const second = 1000;
const day = 86_400 * second;
const nowMs = Date.parse('2026-03-01T12:00:00.600Z');

const healthy: PathObservation = {
  host: 'tapline.example.net',
  port: 7443,
  name: { kind: 'resolved', addresses: ['10.77.0.2'], ms: 3.2 },
  connection: {
    kind: 'open',
    address: '10.77.0.2',
    connectMs: 1.2,
    handshakeMs: 4.6,
    protocol: 'TLSv1.3',
    checked: true,
    fault: undefined,
    notAfterMs: nowMs + 60 * day,
  },
  clock: { sentMs: nowMs, receivedMs: nowMs + 2, serverMs: Date.parse('2026-03-01T12:00:00Z') },
  bulk: {
    sentBytes: 192_000,
    answered: true,
    socket: { pathMtu: 1500, segmentBytes: 1448, retransmissions: 0 },
    others: [],
  },
  route: { device: 'eth0', kind: undefined, mtu: 1500, program: undefined },
  device: { name: 'edge-1', issuedAtMs: nowMs - day / 4, notAfterMs: nowMs + (3 * day) / 4 },
  nowMs,
};

const inVpn = { device: 'oc0', kind: 'tun', mtu: 1434, program: 'openconnect' };
const gateway = { local: '10.9.0.2:42244', peer: '10.9.0.1:4443', program: 'openconnect' };

function codes(seen: Partial<PathObservation>): readonly string[] {
  return judgePath({ ...healthy, ...seen })
    .filter(({ level }) => level !== 'ok')
    .map(({ level, code }) => `${level} ${code}`);
}

function finding(code: Finding['code'], seen: Partial<PathObservation>): Finding | undefined {
  return judgePath({ ...healthy, ...seen }).find((one) => one.code === code);
}

function bulk(more: Partial<NonNullable<PathObservation['bulk']>>): PathObservation['bulk'] {
  return { sentBytes: 192_000, answered: true, socket: undefined, others: [], ...more };
}

test('a path that is well has no finding that asks for anything', () => {
  expect(codes({})).toEqual([]);
  expect(judgePath(healthy).map(({ code }) => code)).toEqual([
    'name_resolved',
    'reached',
    'server_certificate_ok',
    'clock_ok',
    'tunnel_none',
    'path_mtu_ok',
    'device_certificate_ok',
  ]);
});

test.each<readonly [string, Partial<PathObservation>, readonly string[]]>([
  [
    'a name that nobody knows',
    {
      name: { kind: 'failed', reason: 'ENOTFOUND' },
      connection: undefined,
      clock: undefined,
      bulk: undefined,
      route: undefined,
    },
    ['error name_unresolved'],
  ],
  [
    'nobody answers',
    {
      connection: { kind: 'failed', address: '10.77.0.2', reason: 'connect ECONNREFUSED' },
      clock: undefined,
      bulk: undefined,
    },
    ['error unreachable'],
  ],
  [
    'a portal',
    {
      connection: { kind: 'not-tls', address: '10.77.0.2', reason: 'wrong version number' },
      clock: undefined,
      bulk: undefined,
    },
    ['error not_tls'],
  ],
  [
    'VPN over DTLS',
    { route: inVpn, bulk: bulk({ others: [{ ...gateway, sentBytes: 900 }] }) },
    ['note path_mtu_unknown'],
  ],
  [
    'VPN over TLS',
    { route: inVpn, bulk: bulk({ others: [{ ...gateway, sentBytes: 201_000 }] }) },
    ['warning tunnel_tcp_in_tcp', 'note path_mtu_unknown'],
  ],
  [
    'VPN over TLS that compresses, seen by a user who may not know the program',
    {
      route: { ...inVpn, program: undefined },
      bulk: bulk({ others: [{ ...gateway, program: undefined, sentBytes: 146_000 }] }),
    },
    ['warning tunnel_tcp_in_tcp', 'note path_mtu_unknown'],
  ],
  [
    'VPN over DTLS beside somebody’s upload',
    {
      route: inVpn,
      bulk: bulk({ others: [{ ...gateway, program: 'rsync', sentBytes: 10_000_000 }] }),
    },
    ['note path_mtu_unknown'],
  ],
  [
    'VPN without ss',
    { route: inVpn, bulk: bulk({ others: undefined }) },
    ['note tunnel_transport_unknown', 'note path_mtu_unknown'],
  ],
  ['full packets that vanish', { bulk: bulk({ answered: false }) }, ['error path_mtu_black_hole']],
  [
    'tunnels in tunnels',
    { bulk: bulk({ socket: { pathMtu: 1200, segmentBytes: 1148, retransmissions: 3 } }) },
    ['warning path_mtu_small'],
  ],
  [
    'a clock that is half a minute ahead',
    { clock: { sentMs: nowMs + 30_000, receivedMs: nowMs + 30_002, serverMs: nowMs - 600 } },
    ['warning clock_skew'],
  ],
  [
    'a clock of last week',
    { clock: { sentMs: nowMs - 7 * day, receivedMs: nowMs - 7 * day, serverMs: nowMs - 600 } },
    ['error clock_skew_large', 'error device_certificate_expired'],
  ],
  [
    'a certificate that was not renewed',
    { device: { name: 'd', issuedAtMs: nowMs - 0.9 * day, notAfterMs: nowMs + 0.1 * day } },
    ['warning device_certificate_late'],
  ],
  [
    'a certificate that ran out',
    { device: { name: 'd', issuedAtMs: nowMs - 2 * day, notAfterMs: nowMs - day } },
    ['error device_certificate_expired'],
  ],
  ['no device', { device: undefined }, ['note device_not_joined']],
])('%s', (_, seen, expected) => {
  expect(codes(seen)).toEqual(expected);
});

test.each([
  [undefined, false, 'server_certificate_unchecked'],
  ['CERT_HAS_EXPIRED', true, 'server_certificate_expired'],
  ['CERT_NOT_YET_VALID', true, 'server_certificate_not_yet_valid'],
  ['ERR_TLS_CERT_ALTNAME_INVALID', true, 'server_certificate_other_name'],
  ['SELF_SIGNED_CERT_IN_CHAIN', true, 'server_certificate_untrusted'],
] as const)('a certificate with fault %s', (fault, checked, code) => {
  const connection = { ...healthy.connection, fault, checked } as PathObservation['connection'];
  expect(finding(code, { connection })).toBeDefined();
});

test('the clock of a device that is off is taken into account for its certificate', () => {
  // Two days behind; by the control plane's clock the certificate has run out.
  const clock = { sentMs: nowMs - 2 * day, receivedMs: nowMs - 2 * day, serverMs: nowMs - 600 };
  const device = { name: 'd', issuedAtMs: nowMs - 2 * day, notAfterMs: nowMs - day };
  expect(codes({ clock, device, nowMs: nowMs - 2 * day })).toEqual([
    'error clock_skew_large',
    'error device_certificate_expired',
  ]);
});

test('every finding that asks for something says what', () => {
  const asking = [
    { route: inVpn, bulk: bulk({ others: [{ ...gateway, sentBytes: 201_000 }] }) },
    { bulk: bulk({ answered: false }) },
    { name: { kind: 'failed', reason: 'ENOTFOUND' } as const },
  ].flatMap((seen) => judgePath({ ...healthy, ...seen }));
  const silent = asking.filter(
    ({ level, hint }) => ['warning', 'error'].includes(level) && !/^[a-z]/.test(hint ?? ''),
  );
  expect(silent).toEqual([]);
});

// What iproute2 6.1 printed on a machine with openconnect 9.01 over TLS.
test('reads what ip and ss print', () => {
  expect(
    parseRouteDevice(
      '[{"dst":"10.77.0.2","dev":"oc0","prefsrc":"192.168.77.50","flags":[],"uid":0,"cache":[]}]',
    ),
  ).toBe('oc0');
  expect(parseRouteDevice('Option "-j" is unknown')).toBeUndefined();
  expect(
    parseLink(
      '[{"ifindex":3,"ifname":"oc0","mtu":1434,"linkinfo":{"info_kind":"tun","info_data":{"type":"tun"}}}]',
    ),
  ).toEqual({ kind: 'tun', mtu: 1434 });
  expect(parseLink('[{"ifname":"eth0","mtu":1500}]')).toEqual({ kind: undefined, mtu: 1500 });
  expect(parseLink('[{}]')).toBeUndefined();
  const printed = `0      0      192.168.77.50:57562 10.77.0.2:7443
\t bbr wscale:10,10 rto:204 rtt:1.393/0.347 mss:1382 pmtu:1434 rcvmss:536 advmss:1382 cwnd:140 ssthresh:60 bytes_sent:262144 bytes_acked:262145 segs_out:192 retrans:0/2 minrtt:0.258
0      0           10.9.0.2:42244  10.9.0.1:4443  users:(("openconnect",pid=7211,fd=6))
\t bbr wscale:10,10 rto:204 mss:1448 pmtu:1500 cwnd:16 bytes_sent:4867 bytes_acked:4868
0      0      [::ffff:127.0.0.1]:7443 [::ffff:127.0.0.1]:40000
\t cubic mss:32768 pmtu:65535
0      0      [fe80::1]%eth0:22 [fe80::2]:40001
`;
  expect(parseSockets(printed)).toEqual([
    {
      local: '192.168.77.50:57562',
      peer: '10.77.0.2:7443',
      sentBytes: 262_144,
      pathMtu: 1434,
      segmentBytes: 1382,
      retransmissions: 2,
      program: undefined,
    },
    {
      local: '10.9.0.2:42244',
      peer: '10.9.0.1:4443',
      sentBytes: 4867,
      pathMtu: 1500,
      segmentBytes: 1448,
      retransmissions: 0,
      program: 'openconnect',
    },
    expect.objectContaining({ local: '127.0.0.1:7443', peer: '127.0.0.1:40000' }),
    expect.objectContaining({ local: '[fe80::1]%eth0:22', pathMtu: 0 }),
  ]);
  expect(parseSockets('')).toEqual([]);
});

import fc from 'fast-check';
import { isTaplineError } from '@tapline/base';
import { expect, test } from 'vitest';
import { parseIfconfig } from './parse-ifconfig.ts';
import { parseNetstat } from './parse-netstat.ts';

/** As macOS 14 prints it, shortened. */
const ifconfig = `lo0: flags=8049<UP,LOOPBACK,RUNNING,MULTICAST> mtu 16384
\toptions=1203<RXCSUM,TXCSUM,TXSTATUS,SW_TIMESTAMP>
\tinet 127.0.0.1 netmask 0xff000000
\tinet6 ::1 prefixlen 128
\tinet6 fe80::1%lo0 prefixlen 64 scopeid 0x1
\tnd6 options=201<PERFORMNUD,DAD>
gif0: flags=8010<POINTOPOINT,MULTICAST> mtu 1280
bridge0: flags=8863<UP,BROADCAST,SMART,RUNNING,SIMPLEX,MULTICAST> mtu 1500
\toptions=63<RXCSUM,TXCSUM,TSO4,TSO6>
\tether d2:00:a0:43:10:00
\tConfiguration:
\t\tid 0:0:0:0:0:0 priority 0 hellotime 0 fwddelay 0
\tmember: en1 flags=3<LEARNING,DISCOVER>
\t        ifmaxaddr 0 port 6 priority 0 path cost 0
utun74: flags=8051<UP,POINTOPOINT,RUNNING,MULTICAST> mtu 1420
\tinet 100.112.0.1 --> 100.112.0.1 netmask 0xffffffff
feth7000: flags=8842<BROADCAST,RUNNING,SIMPLEX,MULTICAST> mtu 1370
\tether 02:00:1b:59:00:01
\tinet 10.1.0.1 netmask 0xffffff00 broadcast 10.1.0.255
\tpeer: feth7001
\tmedia: autoselect
\tstatus: active
`;

test('interfaces as macOS prints them', () => {
  const found = new Map(parseIfconfig(ifconfig).map((one) => [one.name, one]));
  expect([...found.keys()]).toEqual(['lo0', 'gif0', 'bridge0', 'utun74', 'feth7000']);
  expect(found.get('gif0')).toEqual({ name: 'gif0', up: false, mtu: 1280, addresses: [] });
  expect(found.get('lo0')?.addresses.at(-1)).toEqual({ address: 'fe80::1', prefixLength: 64 });
  expect(found.get('utun74')).toEqual({
    name: 'utun74',
    up: true,
    mtu: 1420,
    addresses: [{ address: '100.112.0.1', prefixLength: 32 }],
  });
  expect(found.get('feth7000')).toEqual({
    name: 'feth7000',
    up: false,
    mtu: 1370,
    mac: '02:00:1b:59:00:01',
    addresses: [{ address: '10.1.0.1', prefixLength: 24 }],
  });
});

test('routes of hosts, of either family', () => {
  const output = `Routing tables

Internet:
Destination        Gateway            Flags               Netif Expire
default            192.168.1.1        UGScg                 en0
10/8               link#22            UCS                utun74
100.112.0.1        100.112.0.1        UH                 utun74
100.112.0.3        utun74             UHS                utun74
192.168.1.1/32     link#4             UCS                   en0      !

Internet6:
Destination                             Gateway                                 Flags               Netif Expire
fd00::3                                 utun74                                  UHS                utun74
`;
  expect(parseNetstat(output)).toEqual([
    { destination: '100.112.0.1', device: 'utun74' },
    { destination: '100.112.0.3', device: 'utun74' },
    { destination: 'fd00::3', device: 'utun74' },
  ]);
});

test('whatever is read, it is an answer or an error that says so', () => {
  const line = fc.oneof(
    fc.string(),
    fc.constantFrom(...ifconfig.split('\n')),
    fc
      .tuple(fc.constantFrom('\tinet ', '\tinet6 ', '\tether ', '\tpeer: '), fc.string())
      .map((words) => words.join('')),
  );
  fc.assert(
    fc.property(fc.array(line), (lines) => {
      for (const parse of [parseIfconfig, parseNetstat]) {
        expect(outcomeOf(() => parse(lines.join('\n')))).toBe('told');
      }
    }),
  );
});

function outcomeOf(parse: () => readonly unknown[]): 'told' | 'failed' {
  try {
    return Array.isArray(parse()) ? 'told' : 'failed';
  } catch (error) {
    return isTaplineError(error) ? 'told' : 'failed';
  }
}

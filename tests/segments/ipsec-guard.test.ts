import { haveProgram } from '@tapline/testing';
import { commandBatches } from '@tapline/segments';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { networkUnavailable } from './support/network-unavailable.ts';
import { type Namespace, openNamespace } from './support/open-namespace.ts';

const unavailable = networkUnavailable(haveProgram, ['ip', 'nft', 'python3']);
const port = 4789;

/** What a sender hears where nobody listens; `nothing` where the kernel keeps silent. */
const ask = `
import socket, sys
host, port = sys.argv[1], int(sys.argv[2])
s = socket.socket(socket.AF_INET6 if ':' in host else socket.AF_INET, socket.SOCK_DGRAM)
s.settimeout(0.5)
s.connect((host, port))
s.send(b'quoted' * 20)
try:
    s.recv(1)
except ConnectionRefusedError:
    print('refused')
except TimeoutError:
    print('nothing')
`;

describe.skipIf(unavailable !== undefined)(`the guard of IPsec ${unavailable ?? ''}`, () => {
  let node: Namespace;
  beforeAll(() => {
    node = openNamespace('guard');
  });
  afterAll(() => {
    node?.[Symbol.dispose]();
  });

  /** On loopback, the packet and the answer both pass through the node's own rules. */
  function hears(host: string, to: number): string {
    return node.run(`python3 - ${host} ${to}`, ask).trim();
  }

  // As where the module of VXLAN was removed while a segment was in use.
  test.each(['127.0.0.1', '::1'])('packets to VXLAN are not quoted in the clear at %s', (host) => {
    expect([hears(host, port), hears(host, port + 1)]).toEqual(['refused', 'refused']);
    const batches = commandBatches([{ kind: 'guard-install', port, vnis: [5000] }], {
      wireguardKeyFile: '',
    });
    node.run('nft -f -', batches.flatMap(({ lines }) => lines).join('\n'));
    expect([hears(host, port), hears(host, port + 1)]).toEqual(['nothing', 'refused']);
    node.run('nft flush ruleset');
  });
});

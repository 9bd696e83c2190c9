import { execFileSync } from 'node:child_process';
import { createHash, createPublicKey, randomUUID } from 'node:crypto';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { systemClock } from '@tapline/base';
import { createCertificateAuthority } from '@tapline/gateway';
import { eventually, startProcess, type StartedProcess } from '@tapline/testing';
import {
  ipBatch,
  removeLeftovers,
  removeNamespaces,
  runInside,
} from '../support/test-namespaces.ts';

/** How what is in the VPN travels outside of it. */
export type Transport = 'dtls' | 'tls';

/**
 * A device on the Internet, an AnyConnect gateway, and a network behind it that has no other way in:
 * three namespaces in a row.
 */
export interface Vpn extends AsyncDisposable {
  readonly device: string;
  readonly gateway: string;
  readonly inside: string;
  /** Of the machine inside. */
  readonly insideAddress: string;
  /** Connects the device; disposing it disconnects. */
  connect(transport: Transport): Promise<StartedProcess>;
}

const prefix = 'tlvpn';
const gatewayAddress = '10.9.0.1';
const insideAddress = '10.77.0.2';
const port = 4443;
const password = 'secret';

export async function buildVpn(folder: string): Promise<Vpn> {
  removeLeftovers(prefix);
  await using opened = new AsyncDisposableStack();
  const id = `${prefix}${process.pid}x${randomUUID().slice(0, 4)}`;
  const [device, gateway, inside] = [`${id}-dev`, `${id}-gw`, `${id}-in`] as const;
  const spaces = [device, gateway, inside];
  ipBatch(spaces.map((space) => `netns add ${space}`));
  opened.defer(() => removeNamespaces(spaces));
  ipBatch([
    `link add out netns ${device} type veth peer name out netns ${gateway}`,
    `link add in netns ${inside} type veth peer name in netns ${gateway}`,
  ]);
  ipBatch(['link set lo up', 'address add 10.9.0.2/24 dev out', 'link set out up'], device);
  ipBatch(
    [
      'link set lo up',
      `address add ${gatewayAddress}/24 dev out`,
      'link set out up',
      'address add 10.77.0.1/24 dev in',
      'link set in up',
    ],
    gateway,
  );
  ipBatch(
    [
      'link set lo up',
      `address add ${insideAddress}/24 dev in`,
      'link set in up',
      'route add default via 10.77.0.1',
    ],
    inside,
  );
  runInside(gateway, ['sysctl', '-qw', 'net.ipv4.ip_forward=1']);
  const files = join(folder, 'vpn');
  const server = await writeServer(files);
  opened.use(
    await startProcess(
      'nsenter',
      [`--net=/run/netns/${gateway}`, 'ocserv', '--foreground', '--config', server.configuration],
      { readyLine: /listening \(UDP\)/ },
    ),
  );
  const owned = opened.move();

  async function connect(transport: Transport): Promise<StartedProcess> {
    const words = [
      'openconnect',
      '--user=alice',
      '--passwd-on-stdin',
      `--servercert=${server.pin}`,
      '--non-inter',
      '--interface=oc0',
      `--script=${server.script}`,
      ...(transport === 'tls' ? ['--no-dtls'] : []),
      `${gatewayAddress}:${port}`,
    ];
    // The password is in a file that becomes its input.
    const command = ['sh', '-c', 'input="$0"; exec "$@" < "$input"', server.password, ...words];
    const client = await startProcess('nsenter', [`--net=/run/netns/${device}`, ...command], {
      readyLine: /Configured as/,
    });
    const expected = transport === 'tls' ? 'DTLS disabled' : 'Established DTLS connection';
    try {
      await eventually(`it says ${expected}`, () => client.output().includes(expected));
      return client;
    } catch (error) {
      await client[Symbol.asyncDispose]();
      throw new Error(client.output(), { cause: error });
    }
  }

  return {
    device,
    gateway,
    inside,
    insideAddress,
    connect,
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  };
}

interface ServerFiles {
  readonly configuration: string;
  readonly password: string;
  readonly script: string;
  /** SHA-256 of its public key, as openconnect takes it. */
  readonly pin: string;
}

async function writeServer(folder: string): Promise<ServerFiles> {
  // Workers of ocserv are another user and pass through.
  await mkdir(folder, { mode: 0o755 });
  const at = (name: string): string => join(folder, name);
  const authority = await createCertificateAuthority({ directory: at('ca'), clock: systemClock });
  const identity = authority.issueServer({ hosts: [gatewayAddress] });
  await writeFile(at('certificate.pem'), identity.certificatePem);
  await writeFile(at('key.pem'), identity.privateKeyPem, { mode: 0o600 });
  execFileSync('ocpasswd', ['-c', at('users'), 'alice'], {
    input: `${password}\n${password}\n`,
    stdio: ['pipe', 'ignore', 'pipe'],
  });
  await writeFile(at('password'), `${password}\n`);
  await writeFile(
    at('configuration'),
    `auth = "plain[passwd=${at('users')}]"
tcp-port = ${port}
udp-port = ${port}
listen-host = ${gatewayAddress}
server-cert = ${at('certificate.pem')}
server-key = ${at('key.pem')}
socket-file = ${at('socket')}
run-as-user = nobody
isolate-workers = false
max-same-clients = 4
device = vpns
ipv4-network = 192.168.77.0
ipv4-netmask = 255.255.255.0
route = 10.77.0.0/255.255.255.0
cisco-client-compat = true
dtls-legacy = true
keepalive = 300
dpd = 90
`,
  );
  await writeFile(
    at('script'),
    `#!/bin/sh
[ "$reason" = connect ] || exit 0
ip link set dev "$TUNDEV" up mtu "$INTERNAL_IP4_MTU"
ip address add "$INTERNAL_IP4_ADDRESS/32" dev "$TUNDEV"
ip route add "$CISCO_SPLIT_INC_0_ADDR/$CISCO_SPLIT_INC_0_MASKLEN" dev "$TUNDEV"
`,
    { mode: 0o755 },
  );
  const key = createPublicKey(identity.certificatePem).export({ type: 'spki', format: 'der' });
  const pin = `pin-sha256:${createHash('sha256').update(key).digest('base64')}`;
  return {
    configuration: at('configuration'),
    password: at('password'),
    script: at('script'),
    pin,
  };
}

import type { RunProgram } from '../helper/run-program.ts';

interface Interface {
  mtu: number;
  up: boolean;
  mac?: string;
  peer?: string;
  readonly addresses: string[];
}

/**
 * A Mac as far as our commands go: takes those of ifconfig, route, wg and wireguard-go, refuses what
 * macOS would refuse, and prints what it has in the shapes that macOS and wg print.
 */
export function recordedMac(publicKey: string): {
  readonly run: RunProgram;
  /** What was run, but for what only looks. */
  readonly commands: string[];
  readonly inputs: string[];
  readonly interfaces: Map<string, Interface>;
} {
  const interfaces = new Map<string, Interface>([
    ['lo0', { mtu: 16384, up: true, addresses: ['inet 127.0.0.1 netmask 0xff000000'] }],
    [
      'en0',
      {
        mtu: 1500,
        up: true,
        mac: '78:4f:43:97:06:ac',
        addresses: [
          'inet6 fe80::1c3b:2c4d:aa10:9fe2%en0 prefixlen 64 secured scopeid 0x4',
          'inet 192.168.1.20 netmask 0xffffff00 broadcast 192.168.1.255',
        ],
      },
    ],
  ]);
  const routes = new Map<string, string>();
  let conf: string | undefined;
  const commands: string[] = [];
  const inputs: string[] = [];

  function change(words: readonly string[], stdin: string): void {
    const [program = '', name = '', verb = '', ...rest] = words;
    if (program === 'wireguard-go') {
      if (interfaces.has(name)) throw new Error(`${name}: already exists`);
      interfaces.set(name, { mtu: 1420, up: false, addresses: [] });
      conf = '';
      return;
    }
    if (program === 'wg') {
      if (conf === undefined)
        throw new Error('Unable to access interface: No such file or directory');
      conf = stdin;
      return;
    }
    if (program === 'rm') {
      const gone = /([a-z0-9]+)\.sock$/.exec(words.at(-1) ?? '')?.[1] ?? '';
      interfaces.delete(gone);
      for (const [to, device] of routes) if (device === gone) routes.delete(to);
      conf = undefined;
      return;
    }
    if (program === 'route') {
      const [, , , action, , to = '', , device = ''] = words;
      if (action === 'delete') routes.delete(to);
      else if (interfaces.has(device)) routes.set(to, device);
      else throw new Error(`route: bad interface name ${device}`);
      return;
    }
    if (verb === 'create') {
      interfaces.set(name, { mtu: 1500, up: false, mac: '66:65:74:68:00:00', addresses: [] });
      return;
    }
    const found = interfaces.get(name);
    if (found === undefined) throw new Error(`ifconfig: interface ${name} does not exist`);
    if (verb === 'destroy') interfaces.delete(name);
    else if (verb === 'up') found.up = true;
    else if (verb === 'mtu') found.mtu = Number(rest[0]);
    else if (verb === 'lladdr') found.mac = rest[0] ?? '';
    else if (verb === 'peer') {
      found.peer = rest[0] ?? '';
      const other = interfaces.get(found.peer);
      if (other === undefined) throw new Error(`ifconfig: interface ${found.peer} does not exist`);
      other.peer = name;
    } else if (rest.at(-1) === '-alias') {
      const at = found.addresses.findIndex((line) => line.split(' ')[1] === rest[0]);
      if (at < 0) throw new Error("ifconfig: ioctl (SIOCDIFADDR): Can't assign requested address");
      found.addresses.splice(at, 1);
    } else found.addresses.push(addressLine(verb, rest));
  }

  function print(words: readonly string[]): string | undefined {
    const text = words.join(' ');
    if (text === 'ifconfig -a') {
      return [...interfaces].map(([name, one]) => ifconfigText(name, one)).join('');
    }
    if (text.startsWith('netstat -rn')) {
      const head =
        'Routing tables\n\nInternet:\nDestination        Gateway            Flags               Netif Expire\ndefault            192.168.1.1        UGScg                 en0       \n10/8               192.168.1.1        UGSc                  en0       \n';
      const own = text.endsWith('inet') ? [...routes].filter(([to]) => !to.includes(':')) : [];
      return (
        head +
        own
          .map(
            ([to, device]) =>
              `${to.padEnd(19)}${device.padEnd(19)}UHS                ${device}       \n`,
          )
          .join('')
      );
    }
    if (text === 'wg show all dump') return conf === undefined ? '' : dump(conf, publicKey);
    return undefined;
  }

  return {
    commands,
    inputs,
    interfaces,
    run: (words, { stdin = '' } = {}) => {
      const printed = print(words);
      if (printed !== undefined) return Promise.resolve({ code: 0, stdout: printed, stderr: '' });
      commands.push(words.join(' '));
      if (stdin !== '') inputs.push(stdin);
      try {
        change(words, stdin);
        return Promise.resolve({ code: 0, stdout: '', stderr: '' });
      } catch (error) {
        return Promise.resolve({ code: 1, stdout: '', stderr: String(error) });
      }
    },
  };
}

function addressLine(family: string, [first = '', second]: readonly string[]): string {
  const [address = '', length = ''] = first.split('/');
  if (family === 'inet6') return `inet6 ${address} prefixlen ${length}`;
  const mask = `0x${((0xffffffff << (32 - Number(length))) >>> 0).toString(16)}`;
  const middle = second === 'alias' ? '' : ` --> ${second}`;
  return `inet ${address}${middle} netmask ${mask}`;
}

function ifconfigText(name: string, { mtu, up, mac, peer, addresses }: Interface): string {
  const flags = up
    ? '8863<UP,BROADCAST,SMART,RUNNING,SIMPLEX,MULTICAST>'
    : '8862<BROADCAST,SMART,RUNNING,SIMPLEX,MULTICAST>';
  const lines = [
    `${name}: flags=${flags} mtu ${mtu}`,
    ...(mac === undefined ? [] : [`\tether ${mac}`]),
    ...addresses.map((line) => `\t${line}`),
    ...(peer === undefined ? [] : [`\tpeer: ${peer}`, '\tmedia: autoselect', '\tstatus: active']),
  ];
  return `${lines.join('\n')}\n`;
}

function dump(conf: string, publicKey: string): string {
  const port = /ListenPort = (\d+)/.exec(conf)?.[1] ?? '0';
  const peers = conf
    .split('[Peer]')
    .slice(1)
    .map((part) => {
      const value = (name: string): string =>
        new RegExp(`${name} = (.*)`).exec(part)?.[1] ?? '(none)';
      return [
        value('PublicKey'),
        '(none)',
        value('Endpoint'),
        value('AllowedIPs').replaceAll(', ', ','),
        '0',
        '0',
        '0',
        '25',
      ];
    });
  const lines = [['(none)', publicKey, port, 'off'], ...peers];
  return lines.map((fields) => `utun74\t${fields.join('\t')}\n`).join('');
}

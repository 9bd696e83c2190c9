import { existsSync } from 'node:fs';
import type { KernelCapabilities } from '../fabric-helper.ts';
import type { RunProgram } from './run-program.ts';

/** Each is tried in a network namespace that ends with the process: names of modules say nothing. */
const linkProbes = {
  bridge: 'link add name pb type bridge',
  veth: 'link add name pv type veth peer name pw',
  vxlanGbp: 'link add name px type vxlan id 4096 dstport 4789 nolearning gbp local 127.0.0.1',
  vnifilter: 'link add name py type vxlan external vnifilter gbp dstport 4790 nolearning',
  vlanFiltering: 'link add name pf type bridge vlan_filtering 1',
  wireguard: 'link add name pg type wireguard',
  macsec: 'link add link pv name pm type macsec port 1 encrypt on',
} as const;

/** What keeps all but MACsec off a link: without it there is no MACsec in user space either. */
const linkGuardProbe =
  'table netdev probe {\nchain c {\ntype filter hook egress device "lo" priority 0;\n}\n}\n';

/** On its own: `ip` ends at the first line of xfrm that fails. */
const ipsecProbe =
  'xfrm state add src 192.0.2.1 dst 192.0.2.2 proto esp spi 256 mode transport aead rfc4106(gcm(aes)) 0x0000000000000000000000000000000000000000 128\n';

/** What gives frames their marks where segments are VLANs. */
const arrivalProbe =
  'qdisc add dev lo clsact\nfilter add dev lo ingress protocol all pref 1 handle 1 flower num_of_vlans 0 enc_key_id 4096 vxlan_opts 1/0xffff action skbedit mark 1\n';

export async function probeCapabilities(run: RunProgram): Promise<KernelCapabilities> {
  const tryIn = async (command: readonly string[], stdin: string): Promise<boolean> =>
    (await run(['unshare', '--net', ...command], { stdin })).code === 0;
  const [failed, ipsec, bridgeTables, arpTables, linkGuard, clsBpf, arrivals, userSpace] =
    await Promise.all([
      failedLinkProbes(run),
      tryIn(['ip', '-batch', '-'], ipsecProbe),
      tryIn(['nft', '-f', '-'], tableProbe('bridge', 'prerouting') + tableProbe('inet', 'input')),
      tryIn(['nft', '-f', '-'], tableProbe('arp', 'output')),
      tryIn(['nft', '-f', '-'], linkGuardProbe),
      tryIn(
        ['tc', '-batch', '-'],
        "qdisc add dev lo clsact\nfilter add dev lo egress protocol all pref 1 bpf da bytecode '1,6 0 0 0'\n",
      ),
      tryIn(['tc', '-batch', '-'], arrivalProbe),
      haveUserSpaceWireguard(run),
    ]);
  const works = (probe: keyof typeof linkProbes): boolean => !failed.has(probe);
  return {
    bridge: works('bridge') && works('veth'),
    vxlanGbp: works('vxlanGbp'),
    vnifilter: works('vnifilter'),
    vlanFiltering: works('vlanFiltering') && arrivals,
    nftables: bridgeTables,
    nftablesArp: arpTables,
    clsBpf,
    wireguard: works('wireguard') ? 'kernel' : userSpace ? 'user-space' : 'none',
    ipsec,
    macsec: works('macsec') ? 'kernel' : linkGuard && haveTap() ? 'user-space' : 'none',
  };
}

/** Asked before each execution: `ip` says at once that a kernel has no such device. */
export async function hasKernelMacsec(run: RunProgram): Promise<boolean> {
  const stdin = `${linkProbes.veth}\n${linkProbes.macsec}\n`;
  return (await run(['unshare', '--net', 'ip', '-batch', '-'], { stdin })).code === 0;
}

async function failedLinkProbes(run: RunProgram): Promise<ReadonlySet<string>> {
  const names = Object.keys(linkProbes);
  const stdin = `${Object.values(linkProbes).join('\n')}\n`;
  const { code, stderr } = await run(['unshare', '--net', 'ip', '-force', '-batch', '-'], {
    stdin,
  });
  if (code === 127) return new Set(names);
  const lines = [...stderr.matchAll(/Command failed [^:\n]*:([0-9]+)/g)];
  if (code !== 0 && lines.length === 0) return new Set(names);
  return new Set(lines.flatMap(([, line]) => names[Number(line) - 1] ?? []));
}

function tableProbe(family: string, hook: string): string {
  return `table ${family} probe {\nchain c {\ntype filter hook ${hook} priority 0;\n}\n}\n`;
}

function haveTap(): boolean {
  return existsSync('/dev/net/tun') && ['x64', 'arm64'].includes(process.arch);
}

async function haveUserSpaceWireguard(run: RunProgram): Promise<boolean> {
  const results = await Promise.all([run(['wireguard-go', '--version']), run(['wg', '--version'])]);
  return results.every(({ code }) => code === 0);
}

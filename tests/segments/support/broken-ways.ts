import { portMac, portName } from '@tapline/segments';
import { vni, type Workload } from './start-fabrics.ts';

/** One thing that goes wrong on a node, as commands that are run there. */
interface BrokenWay {
  readonly name: string;
  readonly commands: readonly (readonly [string, ...string[]])[];
}

/** Gives the same numbers for a seed (mulberry32). */
export function seededNumbers(seed: number): (below: number) => number {
  let state = seed;
  return (below) => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) % below;
  };
}

/** Something that breaks on the node of a workload: both layers, one of them, or what has to pass. */
export function brokenWay(
  { port, mac, ip }: Workload,
  all: readonly Workload[],
  draw: (below: number) => number,
): BrokenWay {
  const device = portName(vni, port);
  const remote = all.filter(({ node }) => node !== port.node);
  const other = remote[draw(remote.length)];
  const marks = [1, 2, 16, 17];
  const mark = marks[draw(marks.length)] ?? 1;
  const ways: readonly BrokenWay[] = [
    {
      name: `a mark of somebody else's table for ${device}`,
      commands: [
        [
          'nft',
          'add table bridge other; add chain bridge other f { type filter hook forward priority -210; }; ' +
            `add rule bridge other f oifname ${device} meta mark set ${mark}`,
        ],
      ],
    },
    {
      name: `the filter of ${device} gone, and a rule for it before ours`,
      commands: [
        ['tc', 'qdisc', 'del', 'dev', device, 'clsact'],
        ['nft', `insert rule bridge tapline forward oifname ${device} accept`],
      ],
    },
    {
      name: `the filter of ${device} gone`,
      commands: [['tc', 'qdisc', 'del', 'dev', device, 'clsact']],
    },
    {
      name: 'all marks allowed by the rules',
      commands: [['nft', 'insert rule bridge tapline forward accept']],
    },
    {
      name: `${device} with the group ${mark}`,
      commands: [
        element('delete', 'groups', `${device} . ${mac}`),
        element('add', 'groups', `${device} . ${mac} : ${mark}`),
      ],
    },
    {
      name: `no address that ${device} may ask for`,
      commands: [element('delete', 'arp_targets', `${device} . ${ip}`)],
    },
    {
      name: `no source for ${device}`,
      commands: [element('delete', 'sources4', `${device} . ${ip}`)],
    },
    {
      name: `no entry for ${other?.name}`,
      commands: [
        ['bridge', 'fdb', 'del', portMac(vni, other?.port.index ?? 0), 'dev', `tv${vni}`, 'master'],
      ],
    },
    { name: `${device} down`, commands: [['ip', 'link', 'set', device, 'down']] },
    {
      name: 'no groups from the other node',
      commands: [['nft', 'flush set bridge tapline remote']],
    },
  ];
  return ways[draw(ways.length)] ?? { name: 'nothing', commands: [] };
}

function element(verb: string, set: string, text: string): readonly [string, ...string[]] {
  return ['nft', `${verb} element bridge tapline ${set} { ${text} }`];
}

import type { FdbEntry, LinkState, Neighbour, NodeState } from '../state/node-state.ts';
import type { HookProgram } from './nft-program.ts';
import { noVlan } from './bridge-vlans.ts';

/**
 * What becomes of an ARP request that a bridge lets in: it is flooded, or the bridge answers with a
 * MAC and keeps the request from those ports that ask it to, or keeps it without an answer.
 */
export type Answer =
  | { readonly kind: 'flooded' }
  | { readonly kind: 'answered'; readonly mac: string; readonly mark: number | undefined }
  | { readonly kind: 'kept' };

const flooded: Answer = { kind: 'flooded' };

/** Neighbours that bridges answer for (br_do_proxy_suppress_arp in net/bridge/br_arp_nd_proxy.c). */
export class NeighbourAnswers {
  readonly #links: ReadonlyMap<string, LinkState>;
  readonly #neighbours: ReadonlyMap<string, readonly Neighbour[]>;
  /** Bridges of which some port is kept free of requests that need no flooding. */
  readonly #suppressing: ReadonlySet<string>;
  readonly #output: HookProgram;

  constructor(
    { links, neighbours }: NodeState,
    context: { readonly links: ReadonlyMap<string, LinkState>; readonly output: HookProgram },
  ) {
    this.#links = context.links;
    this.#output = context.output;
    this.#neighbours = Map.groupBy(neighbours, ({ dev }) => dev);
    this.#suppressing = new Set(
      links.flatMap(({ master, bridgePort }) =>
        master !== undefined && bridgePort?.neighSuppress === true ? [master] : [],
      ),
    );
  }

  /** Those that a port's bridge can answer for. */
  of({ master = '', bridgePort }: LinkState): readonly Neighbour[] {
    // What comes from where requests are kept off is asked of nobody here.
    if (!this.#suppressing.has(master) || bridgePort?.neighSuppress === true) return [];
    return this.#neighbours.get(master) ?? [];
  }

  /** `entries` are the bridge's for a MAC. In a VLAN there is no interface of the bridge's to ask. */
  answer(
    port: LinkState,
    options: {
      readonly vlan: number;
      readonly address: string;
      readonly entries: (mac: string) => readonly FdbEntry[];
    },
  ): Answer {
    const { vlan, address, entries } = options;
    if (vlan !== noVlan) return flooded;
    const known = this.of(port).find((neighbour) => neighbour.address === address);
    const [entry] = known === undefined ? [] : entries(known.mac);
    if (known === undefined || entry === undefined) return flooded;
    if (this.#links.get(entry.dev)?.bridgePort?.neighSuppress !== true) return { kind: 'kept' };
    // The answer passes no chain of the bridge, but those of the family arp.
    const [frame] = this.#output.run({
      iif: '',
      oif: port.name,
      mark: 0,
      fields: {
        key: 'arp saddr ip',
        values: [address],
        without: false,
        next: { key: 'protocol', values: ['arp'], without: false, next: undefined },
      },
      by: undefined,
      loose: false,
    });
    return frame === undefined
      ? { kind: 'kept' }
      : { kind: 'answered', mac: known.mac, mark: frame.mark };
  }
}

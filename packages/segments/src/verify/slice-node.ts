import type { NftSet } from '../state/nft-ruleset.ts';
import type { FdbEntry, LinkState, NodeState } from '../state/node-state.ts';
import type { ClaimedPort } from './claim-index.ts';
import { CodeBuffer, type CodeTable } from './code-table.ts';
import { keyOf, partsOf } from './element-index.ts';
import { planRuleset, type RulesetPlan, type SetPlan } from './ruleset-plan.ts';
import type { SegmentClaim } from './segment-claim.ts';
import { keptByPolicy } from './kept-by-policy.ts';
import { type Home, type SegmentSlice, SliceDraft, type SliceGuide } from './segment-slice.ts';
import { linkWeakness, outsideOf, protectionOf } from './underlay-protection.ts';

/** A node's state, by the segments that depend on it. */
export interface SlicedNode {
  /** What is of all segments; equal for nodes that are alike. */
  readonly shared: number;
  /** By VNI: those that have a port or a VXLAN device here. */
  readonly slices: ReadonlyMap<number, SegmentSlice>;
  readonly state: NodeState;
  readonly plan: RulesetPlan;
}

/** The claim as a node's slices need it. */
interface SliceContext {
  readonly segments: ReadonlyMap<number, SegmentClaim>;
  /** Ports that are to be on the node, by their devices. */
  readonly devices: ReadonlyMap<string, ClaimedPort>;
  /** The node's address there. */
  readonly underlay: string;
  readonly vxlanPort: number;
  readonly table: CodeTable;
  /** One for each slice of a node; used again for the next node. */
  readonly buffers: CodeBuffer[];
  readonly guide: SliceGuide;
}

/** Texts that the verifier itself compares with. */
const ownLiterals = ['0.0.0.0', '::', '', 'other', 'true', 'false'];

/** `before` is the node as it was: what depends on nothing that is another object is not read again. */
export function sliceNode(
  state: NodeState,
  context: SliceContext,
  before?: SlicedNode,
): SlicedNode {
  if (
    before !== undefined &&
    before.state.nft === state.nft &&
    before.state.links === state.links
  ) {
    return new Slicer(state, context, { plan: before.plan, before }).finish();
  }
  const refused = new Set<NftSet>();
  for (;;) {
    const slicer = new Slicer(state, context, { plan: planRuleset(state.nft, refused) });
    const failed = slicer.readElements();
    if (failed === undefined) return slicer.finish();
    refused.add(failed);
  }
}

class Slicer {
  readonly #state: NodeState;
  readonly #context: SliceContext;
  readonly #plan: RulesetPlan;
  readonly #drafts = new Map<number, SliceDraft>();
  readonly #homes = new Map<string, Home>();
  readonly #links: ReadonlyMap<string, LinkState>;
  readonly #before: SlicedNode | undefined;
  /** Drafts of segments that may differ from what they were; all of them where it is not known. */
  readonly #touched: ReadonlySet<SliceDraft>;
  #odd: boolean;

  constructor(
    state: NodeState,
    context: SliceContext,
    { plan, before }: { readonly plan: RulesetPlan; readonly before?: SlicedNode },
  ) {
    this.#state = state;
    this.#context = context;
    this.#plan = plan;
    this.#before = before;
    this.#odd = plan.odd;
    this.#links = new Map(state.links.map((link) => [link.name, link]));
    this.#findBridges();
    for (const link of state.links) this.#link(link);
    this.#touched = this.#findTouched();
    this.#entries();
    this.#filters();
    this.#neighbours();
    for (const { dev } of state.addresses) this.#disown(dev);
    this.#literals();
    for (const draft of this.#touched) {
      draft.odd ||= this.#odd;
      if (draft.claim.segment.encryption.link === 'macsec') {
        draft.verbatim(linkWeakness(state, context.underlay) ?? '');
      }
      if (draft.claim.segment.encryption.underlay === 'ipsec') this.#policies(draft);
      draft.beginElements();
    }
  }

  /** Returns a set that has to be of all segments, after which it is to be begun again. */
  readElements(): NftSet | undefined {
    for (const [number, plan] of this.#plan.sliced.entries()) {
      if (!this.#elements(plan, number)) return plan.set;
    }
    return undefined;
  }

  finish(): SlicedNode {
    const { table } = this.#context;
    const before = this.#before;
    const slices = new Map<number, SegmentSlice>();
    for (const [vni, draft] of this.#drafts) {
      const slice = before?.slices.get(vni);
      if (slice !== undefined && !this.#touched.has(draft)) {
        slices.set(vni, slice);
        continue;
      }
      const known = slice?.elements ?? { code: 0, odd: true };
      const elements = before === undefined ? draft.endElements() : known;
      slices.set(vni, draft.finish(elements));
    }
    const { shared } = this.#plan;
    const outside = outsideOf(this.#state) ?? '';
    return {
      shared: table.text(`${outside} ${shared}`),
      slices,
      state: this.#state,
      plan: this.#plan,
    };
  }

  /** Where only entries of the FDB differ, it is the segments whose devices they are of. */
  #findTouched(): ReadonlySet<SliceDraft> {
    const before = this.#before;
    if (before === undefined || !differsInEntriesOnly(before.state, this.#state)) {
      return new Set(this.#drafts.values());
    }
    const different = differingEntries(before.state.fdb, this.#state.fdb);
    const drafts = different.flatMap(({ dev }) => this.#homes.get(dev)?.draft ?? []);
    const fresh = [...this.#drafts].flatMap(([vni, draft]) =>
      before.slices.has(vni) ? [] : draft,
    );
    return new Set([...drafts, ...fresh]);
  }

  #draft(vni: number): SliceDraft | undefined {
    const known = this.#drafts.get(vni);
    if (known !== undefined) return known;
    const { segments, table, buffers, guide } = this.#context;
    const claim = segments.get(vni);
    if (claim === undefined) return undefined;
    const buffer = (buffers[this.#drafts.size] ??= new CodeBuffer());
    const draft = new SliceDraft(claim, { table, buffer, guide });
    this.#drafts.set(vni, draft);
    return draft;
  }

  /** Of no segment alone: whatever is found there makes it unlike any other. */
  #disown(device: string): void {
    const home = this.#homes.get(device);
    if (home !== undefined) home.draft.odd = true;
  }

  /** The bridge of a segment is the one in which its ports are, whatever it is called. */
  #findBridges(): void {
    for (const { name, master } of this.#state.links) {
      const port = this.#context.devices.get(name);
      const draft = port === undefined ? undefined : this.#draft(port.segment.vni);
      if (port === undefined || draft === undefined) continue;
      this.#homes.set(name, { draft, symbol: port.ordinal });
      if (master === undefined) continue;
      draft.bridge ??= master;
      const home = this.#homes.get(master) ?? { draft, symbol: draft.symbolOf(master) };
      this.#homes.set(master, home);
      // Two bridges of one segment, or two segments in one bridge.
      if (draft.bridge !== master || home.draft !== draft) draft.odd = home.draft.odd = true;
    }
  }

  #link(link: LinkState): void {
    const { name, master, vxlan, lower, kind } = link;
    if (vxlan?.external === true && link.up) this.#odd = true;
    if (lower !== undefined && kind !== 'veth') this.#disown(lower);
    // What is in which VLAN is in no slice.
    if (link.bridge?.vlanFiltering === true) this.#disown(name);
    const above = master === undefined ? undefined : this.#homes.get(master);
    const own = vxlan?.vni === undefined ? undefined : this.#draft(vxlan.vni);
    if (own !== undefined && own !== above?.draft && link.up) own.odd = true;
    let home = this.#homes.get(name);
    // Reported twice, in bridges of two segments.
    if (home !== undefined && above !== undefined && home.draft !== above.draft) {
      home.draft.odd = above.draft.odd = true;
    }
    if (home === undefined && above !== undefined) {
      if (vxlan === undefined || own !== above.draft) above.draft.odd = true;
      home = { draft: above.draft, symbol: above.draft.symbolOf(name) };
      this.#homes.set(name, home);
    }
    if (home !== undefined) this.#write(home, link);
  }

  #write({ draft, symbol }: Home, link: LinkState): void {
    const { name, up, master, vxlan, bridgePort: port } = link;
    draft.number(symbol);
    let bits = 0;
    for (const flag of [
      up,
      link.carrier === false,
      link.kind === 'veth' && link.lower === undefined,
      master !== undefined,
      port?.isolated === true,
      port?.learning === true,
      port?.flood === true,
      port?.hairpin === true,
      port?.neighSuppress === true,
      vxlan !== undefined,
      vxlan?.learning === true,
      vxlan?.gbp === true,
    ]) {
      bits = (bits << 1) | (flag ? 1 : 0);
    }
    draft.number(bits);
    let prefixes = 0;
    for (const prefix of this.#plan.prefixes) {
      prefixes = (prefixes << 1) | (name.startsWith(prefix) ? 1 : 0);
    }
    draft.number(prefixes);
    if (vxlan === undefined) return;
    draft.text(vxlan.local);
    draft.number(vxlan.port);
  }

  #entries(): void {
    let last = '';
    let home: Home | undefined;
    for (const entry of this.#state.fdb) {
      if (entry.dev !== last) {
        last = entry.dev;
        home = this.#homes.get(last);
        if (home !== undefined && !this.#touched.has(home.draft)) home = undefined;
      }
      if (home === undefined) continue;
      const { draft, symbol } = home;
      const { self, mac, dst } = entry;
      const other = entry.vni ?? entry.srcVni ?? entry.port ?? entry.nexthopGroup;
      if (other !== undefined) draft.odd = true;
      // An address of the device itself.
      if (self && dst === undefined) continue;
      draft.number(self ? -1 : entry.local === true ? -2 : -3);
      draft.number(symbol);
      draft.text(mac);
      draft.number(dst === undefined ? 0 : 1);
      if (dst === undefined) continue;
      // Of a node without ports of the segment: what becomes of it is not in this slice.
      if (!draft.text(dst)) draft.odd = true;
      this.#protection(draft, entry, dst);
    }
  }

  #protection(draft: SliceDraft, { dev, via }: FdbEntry, destination: string): void {
    const { segment } = draft.claim;
    const link = this.#links.get(dev);
    if (segment.encryption.underlay === 'none' || link === undefined) return;
    const protection = protectionOf(this.#state, link, { destination, segment, via });
    draft.verbatim(`${protection.kind} ${'handshake' in protection && protection.handshake}`);
  }

  #filters(): void {
    for (const { dev, preference, program } of this.#state.egress) {
      const home = this.#homes.get(dev);
      if (home === undefined || !this.#touched.has(home.draft)) continue;
      const { draft, symbol } = home;
      draft.number(symbol);
      draft.number(preference);
      draft.number(program.length);
      for (const { code, jt, jf, k } of program) {
        draft.number(code);
        draft.number((jt << 8) | jf);
        draft.number(k);
      }
    }
    for (const { dev } of this.#state.foreignFilters) this.#disown(dev);
  }

  /** Whether IPsec keeps out what comes in the clear, from whom. */
  #policies(draft: SliceDraft): void {
    const local = this.#links.get(draft.tunnels[0] ?? '')?.vxlan?.local ?? '';
    const sources = draft.claim.nodes.flatMap(({ underlay, link }) => [underlay, link?.address]);
    const port = this.#context.vxlanPort;
    const kept = [...sources, undefined].map((source) =>
      keptByPolicy(this.#state.xfrm, { source, local, port }),
    );
    draft.verbatim(kept.join());
  }

  /** Whom its bridge answers for. */
  #neighbours(): void {
    for (const { dev, address, mac } of this.#state.neighbours) {
      const draft = this.#homes.get(dev)?.draft;
      if (draft === undefined || !this.#touched.has(draft)) continue;
      draft.number(-5 - this.#plan.sliced.length);
      draft.text(address);
      draft.text(mac);
    }
  }

  /** Whether each element is of one segment, or of none. */
  #elements({ set, by, position, parts }: SetPlan, number: number): boolean {
    const isMap = set.kind === 'map';
    let last: unknown;
    let draft: SliceDraft | undefined;
    let symbol = 0;
    for (const element of set.elements) {
      const key = partsOf(keyOf(element, isMap));
      const owner = key[position];
      if (key.length !== parts) return false;
      if (owner !== last) {
        last = owner;
        if (by === 'device') {
          if (typeof owner !== 'string' || owner === '' || owner.endsWith('*')) return false;
          const home = this.#homes.get(owner);
          draft = home?.draft;
          symbol = home?.symbol ?? 0;
        } else {
          if (typeof owner !== 'number') return false;
          draft = this.#drafts.get(owner);
        }
      }
      if (draft === undefined) continue;
      draft.number(-4 - number);
      draft.number(symbol);
      for (let at = 0; at < parts; at += 1) if (at !== position) draft.part(key[at]);
      if (isMap && Array.isArray(element)) draft.part(element[1]);
    }
    return true;
  }

  /** Rules that name something of a segment are rules for that segment. */
  #literals(): void {
    const named: string[] = [];
    for (const text of [...ownLiterals, ...this.#plan.literals]) {
      this.#disown(text);
      if (/[.:]|^\d|^$/.test(text)) named.push(text);
    }
    for (const draft of this.#touched) {
      const { claim } = draft;
      const vni = String(claim.segment.vni);
      draft.odd ||= named.some((text) => text === vni || claim.symbolOf(text) !== undefined);
    }
  }
}

/** Those that only one of them has, and none that is the same object at the same place in both. */
function differingEntries(
  before: readonly FdbEntry[],
  now: readonly FdbEntry[],
): readonly FdbEntry[] {
  const least = Math.min(before.length, now.length);
  let head = 0;
  while (head < least && before[head] === now[head]) head += 1;
  let tail = 0;
  while (tail < least - head && before.at(-1 - tail) === now.at(-1 - tail)) tail += 1;
  const [old, fresh] = [before, now].map((list) => list.slice(head, list.length - tail));
  const [known, there] = [new Set(old), new Set(fresh)];
  return [
    ...(old ?? []).filter((entry) => !there.has(entry)),
    ...(fresh ?? []).filter((entry) => !known.has(entry)),
  ];
}

function differsInEntriesOnly(before: NodeState, after: NodeState): boolean {
  const keys = new Set([...Object.keys(before), ...Object.keys(after)] as (keyof NodeState)[]);
  return [...keys].every((key) => key === 'fdb' || before[key] === after[key]);
}

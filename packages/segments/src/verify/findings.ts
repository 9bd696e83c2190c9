import type { SegmentIntent } from '../intent/segment-intent.ts';
import type { Endpoint, Finding, FindingCode, FindingKind, Hop } from './verdict.ts';

/** Findings of one segment; the same one is kept once. */
export class Findings {
  readonly list: Finding[] = [];
  readonly #seen = new Set<string>();
  readonly #segment: SegmentIntent;

  constructor(segment: SegmentIntent) {
    this.#segment = segment;
  }

  add(
    kind: FindingKind,
    code: FindingCode,
    about: {
      readonly node: string;
      /** What makes it the same as another. */
      readonly key: string;
      readonly message: string;
      readonly from?: Endpoint | undefined;
      readonly to?: Endpoint | undefined;
      readonly path?: () => readonly Hop[];
    },
  ): void {
    const id = `${kind} ${code} ${about.node} ${about.key}`;
    if (this.#seen.has(id)) return;
    this.#seen.add(id);
    const { name, vni } = this.#segment;
    const { node, message, from, to } = about;
    this.list.push({
      kind,
      code,
      node,
      segment: { name, vni },
      message,
      ...(from !== undefined && { from }),
      ...(to !== undefined && { to }),
      path: about.path?.() ?? [],
    });
  }
}

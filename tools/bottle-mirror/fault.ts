import type { PlatformTag } from './platform.ts';

/** A way the mirror can misbehave in a test. `formula` names whose bottle is concerned. */
export type Fault =
  /** The blob has its right length but one byte is not the published one. */
  | { readonly kind: 'wrong-bytes'; readonly formula: string }
  /** The connection ends after `bytes` of the blob. */
  | { readonly kind: 'truncated'; readonly formula: string; readonly bytes: number }
  /** Nothing more arrives after `bytes` of the blob, and the connection stays. */
  | { readonly kind: 'stall'; readonly formula: string; readonly bytes: number }
  /** The first `times` blob requests are answered with `status`. */
  | {
      readonly kind: 'server-error';
      readonly formula: string;
      readonly status: number;
      readonly times: number;
    }
  /** The formula has no bottle for the platform. */
  | { readonly kind: 'no-bottle'; readonly formula: string; readonly platform: PlatformTag }
  /** The API names `dependency` among the formula's dependencies; makes cycles. */
  | { readonly kind: 'extra-dependency'; readonly formula: string; readonly dependency: string }
  /** The published bottle carries one more entry; digests match it. */
  | { readonly kind: 'hostile-entry'; readonly formula: string; readonly entry: HostileEntry };

export type HostileEntry = 'path-traversal' | 'device-node' | 'huge-size' | 'symlink-escape';

export function findFault<K extends Fault['kind']>(
  faults: readonly Fault[],
  kind: K,
  formula: string,
): Extract<Fault, { kind: K }> | undefined {
  return faults.find(
    (fault): fault is Extract<Fault, { kind: K }> =>
      fault.kind === kind && fault.formula === formula,
  );
}

/**
 * Which key an operation needs. Plans hold references, so that they can be printed and stored; the
 * bytes are put in by the node, at the last moment before the kernel gets them.
 */
export interface KeyReference {
  readonly use: 'esp' | 'macsec';
  /** Name of the node that sends with it. */
  readonly from: string;
  /** Name of the node that receives; every receiver has the same key of a MACsec sender. */
  readonly to?: string;
  readonly epoch: number;
}

/** A key for a command line, in hexadecimal without a prefix. */
export type KeySource = (reference: KeyReference) => string;

/** Stands for the key where a plan is shown. */
export function shownKey({ use, from, to, epoch }: KeyReference): string {
  return `<${use} key ${epoch} of ${from}${to === undefined ? '' : ` for ${to}`}>`;
}

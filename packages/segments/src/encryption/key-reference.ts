/**
 * Which key an operation needs. Plans hold references, so that they can be printed and stored; the
 * bytes are put in by the process with rights, at the last moment before the kernel gets them.
 */
export interface KeyReference {
  readonly use: 'esp' | 'macsec';
  /** Name of the node that sends with it. */
  readonly from: string;
  /** Name of the node that receives; every receiver has the same key of a MACsec sender. */
  readonly to?: string;
  readonly epoch: number;
  /** Goes up when the sender has lost what it sent with: a key is installed to send with but once. */
  readonly generation: number;
  /** Public keys (X25519, base64url) of sender and receiver; what is secret follows from them. */
  readonly fromKey: string;
  readonly toKey?: string;
  /** Two ways between the same nodes have two keys: counters of one say nothing of the other. */
  readonly over?: 'link';
  /** A MACsec sender's key as it was wrapped for the receiver. */
  readonly sealed?: string;
}

/** A key for a command line, in hexadecimal without a prefix. */
export type KeySource = (reference: KeyReference) => string;

/** Stands for the key where a plan is shown. */
export function shownKey({ use, from, to, epoch, generation }: KeyReference): string {
  return `<${use} key ${epoch}.${generation} of ${from}${to === undefined ? '' : ` for ${to}`}>`;
}

/** Tells keys that a node sends with apart; not secret. */
export function sendingKeyId({ use, toKey = '', epoch, generation, over }: KeyReference): string {
  return [use, over ?? 'underlay', toKey, epoch, generation].join(' ');
}

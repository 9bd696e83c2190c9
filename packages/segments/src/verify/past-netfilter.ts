import type { Frame } from './frame.ts';
import { splitField } from './look-up.ts';

/**
 * br_netfilter takes IP and ARP out of a hook of the family bridge, at -1 when they are forwarded and
 * at 0 before, and puts them back behind all chains up to 0 (br_nf_hook_thresh, NF_BR_PRI_BRNF).
 * Whether it is on is of the whole machine and may change at any time: it is taken to be.
 */
export function isSkipped(hook: string | undefined, priority: number): boolean {
  if (hook === 'forward') return priority >= -1 && priority <= 0;
  return hook === 'prerouting' && priority === 0;
}

/** The frames that go past rules there. */
export function pastNetfilter(frame: Frame): readonly Frame[] {
  const taken = splitField(frame, 'protocol', ['ip', 'ip6', 'arp']).within;
  return taken === undefined ? [] : [{ ...taken, by: undefined }];
}

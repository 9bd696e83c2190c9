/**
 * What a port of a segment may reach (RFC 5517, private VLANs): a promiscuous port everybody, a
 * community port its community and the promiscuous ones, an isolated port the promiscuous ones only.
 */
export type PortRole =
  | { readonly kind: 'promiscuous' }
  | { readonly kind: 'community'; readonly community: string }
  | { readonly kind: 'isolated' };

/** Whether the policy lets frames of any kind pass from a port to another, in this direction. */
export function mayReach(from: PortRole, to: PortRole): boolean {
  if (from.kind === 'promiscuous' || to.kind === 'promiscuous') return true;
  return from.kind === 'community' && to.kind === 'community' && from.community === to.community;
}

/**
 * An IPv6 address, in the form of RFC 5952, as nft prints the 128 bits of a neighbour's target
 * (RFC 4861 §4.3), for which it has no name.
 */
export function targetText(address: string): string {
  const [head = '', tail = ''] = address.split('::');
  const before = digits(head);
  const after = digits(tail);
  const zeros = '0'.repeat(32 - before.length - after.length);
  const text = `${before}${zeros}${after}`.replace(/^0+/, '');
  return `0x${text === '' ? '0' : text}`;
}

function digits(groups: string): string {
  if (groups === '') return '';
  let text = '';
  for (const group of groups.split(':')) text += group.padStart(4, '0');
  return text;
}

import { TaplineError } from '@tapline/base';

const dns1123Subdomain = /^[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$/;
const maxNameLength = 253;

/** Whether `name` can be an object's name (RFC 1123 subdomain, as in Kubernetes). */
export function isObjectName(name: string): boolean {
  return name.length <= maxNameLength && dns1123Subdomain.test(name);
}

/**
 * A formula's name as an object name: `openssl@3` → `openssl-3`, `gtk+3` → `gtk-x3`. `@` becomes a
 * hyphen, and `+` an x, as Homebrew writes it in its own registry.
 */
export function formulaObjectName(formula: string): string {
  const name = formula
    .toLowerCase()
    .replaceAll('@', '-')
    .replaceAll('+', 'x')
    .replaceAll('_', '-')
    .replace(/^[^a-z0-9]+|[^a-z0-9]+$/g, '');
  if (!isObjectName(name)) {
    throw new TaplineError(
      'invalid_formula_name',
      `formula name ${JSON.stringify(formula)} is not one of Homebrew's`,
      {
        hint: 'use the name that `brew info` shows, such as jq or openssl@3',
      },
    );
  }
  return name;
}

/** The one Install of a formula on a device. */
export function installName(device: string, formula: string): string {
  return `${device}.${formulaObjectName(formula)}`;
}

/** The one ChannelEdge of a channel on a node; a node's name has no dot. */
export function channelEdgeName(node: string, channel: string): string {
  return `${node}.${channel}`;
}

/** The Workload that says on which nodes a channel is. */
export function channelWorkloadName(channel: string): string {
  return `${channel}.channel`;
}

/** The one Attachment of a segment on a node; a node's name has no dot. */
export function attachmentName(node: string, segment: string): string {
  return `${node}.${segment}`;
}

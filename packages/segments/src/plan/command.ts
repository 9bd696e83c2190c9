/** What of the system carries an operation out; each takes many lines at once. */
export interface Command {
  readonly program: 'ip' | 'bridge' | 'tc' | 'nft' | 'wg' | 'wireguard-go';
  /** Path of the network namespace it runs in, where it is not the node's own. */
  readonly namespace?: string;
  readonly line: string;
}

/** As somebody would type it. */
export function commandText({ program, namespace, line }: Command): string {
  const text = program === 'nft' ? line : `${program} ${line}`;
  return namespace === undefined ? text : `nsenter --net=${namespace} ${text}`;
}

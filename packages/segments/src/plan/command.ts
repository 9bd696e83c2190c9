/** What of the system carries an operation out; each takes many lines at once. */
export interface Command {
  readonly program: 'ip' | 'bridge' | 'tc' | 'nft' | 'wg' | 'wireguard-go' | 'macsec';
  /** Path of the network namespace it runs in, where it is not the node's own. */
  readonly namespace?: string;
  readonly line: string;
  /** The same for people, where the line has a secret in it. */
  readonly shown?: string;
}

/** As somebody would type it. */
export function commandText({ program, namespace, line, shown = line }: Command): string {
  const text = program === 'nft' ? shown : `${program} ${shown}`;
  return namespace === undefined ? text : `nsenter --net=${namespace} ${text}`;
}

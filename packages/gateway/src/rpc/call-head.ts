import { closeError, CloseCode } from '@tapline/tunnel';

/** The name of streams that are calls. */
export const callStream = 'grpc';

/** What opens a call: its path, as gRPC has it, and its metadata. */
export interface CallHead {
  readonly path: string;
  readonly metadata: Headers;
}

/** The path in the first line, then metadata as `name: value`. */
export function encodeCallHead({ path, metadata }: CallHead): Uint8Array {
  const lines = [path, ...[...metadata].map(([name, value]) => `${name}: ${value}`)];
  return new TextEncoder().encode(lines.join('\n'));
}

/** Throws `tunnel_frame_invalid`. */
export function decodeCallHead(bytes: Uint8Array): CallHead {
  const [path = '', ...lines] = new TextDecoder().decode(bytes).split('\n');
  const metadata = new Headers();
  try {
    for (const line of lines) {
      const colon = line.indexOf(': ');
      metadata.append(line.slice(0, colon), line.slice(colon + 2));
    }
  } catch (cause) {
    throw closeError(CloseCode.Protocol, 'the metadata of a call is malformed', { cause });
  }
  if (/^\/[\w.]+\/\w+$/.test(path)) return { path, metadata };
  throw closeError(CloseCode.Protocol, `${JSON.stringify(path.slice(0, 64))} is no path of a call`);
}

import { parseSockets, type TcpSocket } from './parse-sockets.ts';
import { runQuietly } from './run-quietly.ts';

/** The TCP connections of this machine; undefined where there is no ss to ask. */
export async function readSockets(signal: AbortSignal): Promise<readonly TcpSocket[] | undefined> {
  const text = await runQuietly('ss', ['-tinpH', 'state', 'established'], signal);
  return text === undefined ? undefined : parseSockets(text);
}

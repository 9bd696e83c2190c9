import { resolve } from 'node:path';
import type { EdgeSettings } from '@tapline/agent';
import { TaplineError } from '@tapline/base';
import { parseListenAddress } from '../connection/listen-address.ts';
import { parseSize } from '../edge/parse-size.ts';
import type { AgentFlagValues } from './agent-flags.ts';

/** How a node serves channels, by the flags of its agent; undefined where it serves none. */
export function edgeSettings(flags: AgentFlagValues): EdgeSettings | undefined {
  if (flags.edge === undefined) return undefined;
  const listen = parseListenAddress(flags.edge);
  if (listen.port === 0) {
    throw new TaplineError('usage', '--edge needs a port that stays the same; 0 is any');
  }
  const url = flags.edgeUrl?.replace(/\/$/, '');
  if (url !== undefined && !/^https?:\/\/[^/?#\s@]+(?:\/[^?#\s]*)?$/.test(url)) {
    throw new TaplineError('usage', `--edge-url ${JSON.stringify(url)} is no http or https URL`);
  }
  const tls = tlsOf(flags, url);
  // Said here, where somebody sees it, and not when the first channel comes.
  parseSize(flags.edgeMemory, 'edge-memory');
  parseSize(flags.edgeDisk, 'edge-disk');
  const [, uid = '', gid = ''] = /^(\d{1,9}):(\d{1,9})$/.exec(flags.edgeUser) ?? [];
  if (uid === '') {
    throw new TaplineError('usage', `--edge-user ${JSON.stringify(flags.edgeUser)} is no UID:GID`);
  }
  return {
    listen,
    ...(url !== undefined && { url }),
    ...(tls !== undefined && { tls }),
    memory: flags.edgeMemory,
    diskSize: flags.edgeDisk,
    program: [process.execPath, ...(process.argv[1] === undefined ? [] : [process.argv[1]])],
    user: process.getuid?.() === 0 ? { uid: Number(uid), gid: Number(gid) } : undefined,
  };
}

function tlsOf(flags: AgentFlagValues, url: string | undefined): EdgeSettings['tls'] {
  const { edgeTls, edgeCertificate, edgeKey } = flags;
  if (edgeTls === undefined) return undefined;
  if (edgeCertificate === undefined || edgeKey === undefined) {
    throw new TaplineError('usage', '--edge-tls needs --edge-certificate and --edge-key');
  }
  const listen = parseListenAddress(edgeTls);
  if (listen.port === 0) {
    throw new TaplineError('usage', '--edge-tls needs a port that stays the same; 0 is any');
  }
  // Players have to ask for the name that the certificate holds, and only the operator knows it.
  if (url?.startsWith('https://') !== true) {
    throw new TaplineError(
      'usage',
      '--edge-tls needs --edge-url with the https address of the edge',
    );
  }
  return { listen, certificateFile: resolve(edgeCertificate), keyFile: resolve(edgeKey) };
}

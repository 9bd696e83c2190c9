import { existsSync } from 'node:fs';
import { systemUnavailable } from '../support/requirements.ts';

/** Why nothing can be delivered through a VPN here, for the title of a skipped suite. */
export async function vpnUnavailable(): Promise<string | undefined> {
  if (process.platform === 'linux' && !existsSync('/dev/net/tun')) return '(needs /dev/net/tun)';
  return await systemUnavailable(['runc', 'ocserv', 'ocpasswd', 'openconnect', 'ip', 'ss']);
}

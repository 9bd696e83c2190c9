import type { KeySchema } from './payload-schema.ts';

/**
 * Keys that systems take and that the published schema leaves out, by the path of their dictionary.
 * A VPN of a vendor cannot do without its server; vendors' own guides write all three.
 */
export const appleOmissions: Readonly<Record<string, readonly KeySchema[]>> = {
  'com.apple.vpn.managed.VPN': [
    { key: 'RemoteAddress', type: 'string', required: true },
    { key: 'AuthName', type: 'string' },
    { key: 'AuthPassword', type: 'string' },
  ],
};

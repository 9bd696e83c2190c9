import type { PayloadContent } from '../payloads/payload-content.ts';
import type { ProfileContent } from '../profile/build-profile.ts';

const emptyCertificate = Uint8Array.of(0x30, 0);

/** A VPN, which needs the payload `identity`. */
export const sampleVpn: PayloadContent = {
  kind: 'ikev2',
  id: 'vpn',
  name: 'News & <more>',
  server: 'vpn.example',
  remoteId: 'vpn.example',
  localId: 'phone',
  auth: { method: 'certificate', identity: 'identity' },
  mtu: 1280,
  onDemand: [{ action: 'Connect', interface: 'Cellular' }, { action: 'Ignore' }],
};

/** Payloads of every kind, as they refer to each other. */
export const samplePayloads: readonly PayloadContent[] = [
  { kind: 'certificate', id: 'root', name: 'Root', role: 'root', der: emptyCertificate },
  { kind: 'certificate', id: 'issuer', name: 'CA', role: 'intermediate', der: emptyCertificate },
  {
    kind: 'acme',
    id: 'identity',
    name: 'Identity',
    directoryUrl: 'https://acme.example/directory',
    clientIdentifier: 'a-1',
    commonName: 'phone',
    attested: true,
  },
  { kind: 'scep', id: 'scep', name: 'SCEP', url: 'https://scep.example/', commonName: 'phone' },
  { kind: 'pkcs12', id: 'bundle', name: 'Bundle', data: Uint8Array.of(1, 2, 3) },
  sampleVpn,
  {
    kind: 'anyconnect',
    id: 'apps',
    name: 'Apps',
    server: 'asa.example',
    group: 'tv',
    auth: { method: 'user', user: 'dana' },
    perApp: { safariDomains: ['tv.example'] },
  },
  {
    kind: 'relay',
    id: 'relay',
    name: 'Relay',
    relays: [{ http3Url: 'https://relay.example/udp', identity: 'scep' }],
    matchDomains: ['tv.example'],
  },
  {
    kind: 'dns',
    id: 'dns',
    name: 'DNS',
    server: { protocol: 'https', url: 'https://dns.example/query' },
    matchDomains: ['tv.example'],
  },
  { kind: 'web-clip', id: 'clip', name: 'News', url: 'https://tv.example/news', fullScreen: true },
  {
    kind: 'wifi',
    id: 'wifi',
    name: 'Studio',
    ssid: 'Studio',
    security: {
      kind: 'certificate',
      identity: 'bundle',
      serverNames: ['radius.example'],
      roots: ['root'],
    },
  },
];

export const sampleProfile: ProfileContent = {
  identifier: 'com.example.news',
  name: 'News on your phone',
  organization: 'Example',
  payloads: samplePayloads,
};

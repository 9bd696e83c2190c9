import { haveProgram } from '@tapline/testing';
import { describe, expect, test } from 'vitest';
import type { PayloadContent } from '../payloads/payload-content.ts';
import { readPlists } from '../testing/read-plist.ts';
import { samplePayloads, sampleProfile, sampleVpn } from '../testing/sample-profile.ts';
import { buildProfile, type ProfileContent } from './build-profile.ts';

const target = { system: 'iOS', version: '18.1' } as const;
const clip: PayloadContent = { kind: 'web-clip', id: 'c', name: 'c', url: 'https://a.example' };

function withPayload(payload: PayloadContent): ProfileContent {
  return { ...sampleProfile, payloads: [payload] };
}

test('payloads of every kind are what the schema of Apple asks for', () => {
  expect(buildProfile(sampleProfile, { target }).findings).toEqual([]);
  expect(buildProfile(sampleProfile).findings).toEqual([]);
});

test('the same content is the same profile, and another one under its name keeps its identifiers', () => {
  const first = buildProfile(sampleProfile);
  expect(buildProfile(sampleProfile).bytes).toEqual(first.bytes);
  const renewed = buildProfile({ ...sampleProfile, name: 'Renewed' });
  expect(renewed.bytes).not.toEqual(first.bytes);
  expect(renewed.uuid).toBe(first.uuid);
  const uuids = (bytes: Uint8Array): readonly string[] =>
    Buffer.from(bytes)
      .toString()
      .match(/[0-9A-F]{8}-[0-9A-F]{4}-8[0-9A-F]{3}-[89AB][0-9A-F]{3}-[0-9A-F]{12}/g) ?? [];
  expect(uuids(first.bytes).length).toBeGreaterThan(samplePayloads.length);
  expect(uuids(renewed.bytes)).toEqual(uuids(first.bytes));
});

describe.skipIf(!haveProgram('python3'))(
  `plistlib ${haveProgram('python3') ? '' : '(needs python3)'}`,
  () => {
    test('reads the whole profile, and references lead to payloads of it', () => {
      const [read] = readPlists([Buffer.from(buildProfile(sampleProfile).bytes).toString()]);
      expect(read).toMatchObject({
        PayloadType: 'Configuration',
        PayloadIdentifier: 'com.example.news',
        PayloadDisplayName: 'News on your phone',
      });
      const { PayloadContent: payloads } = read as {
        readonly PayloadContent: readonly Readonly<Record<string, unknown>>[];
      };
      const uuidOf = (id: string): unknown =>
        payloads.find((one) => one['PayloadIdentifier'] === `com.example.news.${id}`)?.[
          'PayloadUUID'
        ];
      expect(payloads).toHaveLength(samplePayloads.length);
      expect(payloads).toContainEqual(
        expect.objectContaining({
          PayloadType: 'com.apple.vpn.managed',
          VPNType: 'IKEv2',
          UserDefinedName: 'News & <more>',
          IKEv2: expect.objectContaining({
            PayloadCertificateUUID: uuidOf('identity'),
            OnDemandRules: [
              { Action: 'Connect', InterfaceTypeMatch: 'Cellular' },
              { Action: 'Ignore' },
            ],
          }),
        }),
      );
      expect(payloads).toContainEqual(
        expect.objectContaining({
          PayloadType: 'com.apple.vpn.managed.applayer',
          VPNSubType: 'com.cisco.anyconnect',
          SafariDomains: ['tv.example'],
          VendorConfig: { Group: 'tv' },
        }),
      );
      expect(payloads).toContainEqual(
        expect.objectContaining({
          PayloadType: 'com.apple.wifi.managed',
          PayloadCertificateUUID: uuidOf('bundle'),
          EAPClientConfiguration: expect.objectContaining({
            PayloadCertificateAnchorUUID: [uuidOf('root')],
          }),
        }),
      );
    });
  },
);

describe('refuses', () => {
  test.each<readonly [string, ProfileContent, RegExp]>([
    ['a name that is no reverse DNS', { ...sampleProfile, identifier: 'news' }, /no reverse DNS/],
    ['no payload', { ...sampleProfile, payloads: [] }, /1 to 100 payloads, not 0/],
    ['an id twice', { ...sampleProfile, payloads: [clip, clip] }, /two payloads have the id c/],
    ['an odd id', withPayload({ ...clip, id: 'a/b' }), /payload id "a\/b" must match/],
    [
      'a reference that leads nowhere',
      withPayload(sampleVpn),
      /payload vpn refers to identity, which is not in the profile/,
    ],
    [
      'an identity that is none',
      {
        ...sampleProfile,
        payloads: [{ ...clip, id: 'identity' }, sampleVpn],
      },
      /payload vpn refers to identity, which is a web-clip/,
    ],
    [
      'a value out of its range',
      {
        ...sampleProfile,
        payloads: samplePayloads.map((one) => (one.kind === 'ikev2' ? { ...one, mtu: 1500 } : one)),
      },
      /IKEv2\.MTU is 1500, not from 1280 to 1400/,
    ],
    [
      'a web clip that leads nowhere',
      withPayload({ ...clip, url: 'news' }),
      /needs a whole address/,
    ],
    [
      'a relay without an address',
      withPayload({ kind: 'relay', id: 'r', name: 'r', relays: [{}] }),
      /each relay needs/,
    ],
    [
      'DNS over plain HTTP',
      withPayload({
        kind: 'dns',
        id: 'd',
        name: 'd',
        server: { protocol: 'https', url: 'http://a.example' },
      }),
      /needs an https address/,
    ],
    [
      'an SSID of 33 bytes',
      withPayload({
        kind: 'wifi',
        id: 'w',
        name: 'w',
        ssid: 'é'.repeat(16) + 'e',
        security: { kind: 'password', password: 'short' },
      }),
      /1 to 32 bytes, not 33, and 1 more/,
    ],
  ])('%s', (_, content, message) => {
    expect(() => buildProfile(content)).toThrow(
      expect.objectContaining({ code: 'profile_invalid', message: expect.stringMatching(message) }),
    );
  });

  test('what the target does not have', () => {
    const old = { system: 'iOS', version: '15.0' } as const;
    expect(() => buildProfile(sampleProfile, { target: old })).toThrow(
      /com\.apple\.security\.acme came with iOS 16\.0, after 15\.0, and 1 more/,
    );
  });
});

import { describe, expect, test } from 'vitest';
import type { PlistDictionary } from '../plist/plist-value.ts';
import { applePayloads } from './apple-payloads.ts';
import { checkPayload } from './check-payload.ts';
import type { KeySchema } from './payload-schema.ts';
import { isOlder } from './system-version.ts';

const common = {
  PayloadType: 'com.apple.webClip.managed',
  PayloadVersion: 1,
  PayloadIdentifier: 'a.b',
  PayloadUUID: 'u',
};
const clip = { ...common, URL: 'https://a.example', Label: 'a' };

function codes(
  type: string,
  payload: PlistDictionary,
  options: Parameters<typeof checkPayload>[2] = {},
): readonly string[] {
  return checkPayload(type, payload, options).map(({ code, path }) => `${code} ${path}`);
}

test('what is whole has no findings', () => {
  expect(codes('com.apple.webClip.managed', clip)).toEqual([]);
});

describe('finds', () => {
  const clipType = 'com.apple.webClip.managed';
  const { Label: _label, ...unlabelled } = clip;
  test.each<readonly [string, PlistDictionary, string]>([
    [clipType, unlabelled, `key-missing ${clipType}.Label`],
    [clipType, { ...clip, Colour: 'red' }, `key-unknown ${clipType}.Colour`],
    [clipType, { ...clip, FullScreen: 1 }, `type-wrong ${clipType}.FullScreen`],
    [clipType, { ...clip, PayloadVersion: 2 }, `value-not-allowed ${clipType}.PayloadVersion`],
    ['com.apple.nothing', clip, 'payload-unknown com.apple.nothing'],
    [
      'com.apple.vpn.managed',
      { VPNType: 'IKEv2', UserDefinedName: 'a', IKEv2: { MTU: 1500 } },
      'out-of-range com.apple.vpn.managed.IKEv2.MTU',
    ],
    [
      'com.apple.relay.managed',
      { Relays: [{ PayloadCertificateUUID: 'x' }] },
      'form-wrong com.apple.relay.managed.Relays[0].PayloadCertificateUUID',
    ],
    [
      'com.apple.security.acme',
      { Subject: [[['CN']]] },
      'count-wrong com.apple.security.acme.Subject[0][0]',
    ],
  ])('%s', (type, payload, finding) => {
    expect(codes(type, payload)).toContain(finding);
  });
});

test('what a system does not know, or did not yet', () => {
  const relay = { ...common, Relays: [{ HTTP3RelayURL: 'https://a.example' }] };
  const type = 'com.apple.relay.managed';
  expect(codes(type, relay, { target: { system: 'iOS', version: '17' } })).toEqual([]);
  expect(codes(type, relay, { target: { system: 'iOS', version: '16.7.1' } })).toEqual([
    `payload-unsupported ${type}`,
  ]);
  expect(codes(type, relay, { target: { system: 'watchOS', version: '11' } })).toEqual([
    `payload-unsupported ${type}`,
  ]);
  const icon = { ...clip, TargetApplicationBundleIdentifier: 'a' };
  expect(
    checkPayload('com.apple.webClip.managed', icon, { target: { system: 'iOS', version: '13' } }),
  ).toEqual([
    expect.objectContaining({
      severity: 'warning',
      code: 'key-unsupported',
      message:
        'com.apple.webClip.managed.TargetApplicationBundleIdentifier came with iOS 14.0, after 13',
    }),
  ]);
});

test('versions are compared by number', () => {
  expect(isOlder('9.3', '10')).toBe(true);
  expect(isOlder('17.4', '17.4.0')).toBe(false);
  expect(isOlder('17.10', '17.9')).toBe(false);
  expect(() => isOlder('Sonoma', '14')).toThrow(/Sonoma is no version/);
});

test('the table is sound: ranges have sense, forms compile, arrays have one kind of element', () => {
  function check(keys: readonly KeySchema[], path: string): readonly string[] {
    return keys.flatMap((key) => {
      const place = `${path}.${key.key}`;
      const wrong = [
        ...(key.min !== undefined && key.max !== undefined && key.min > key.max ? [place] : []),
        ...(key.type === 'array' && (key.keys?.length ?? 1) > 1 ? [place] : []),
        ...(key.values?.length === 0 ? [place] : []),
      ];
      if (key.form !== undefined) new RegExp(key.form).test('');
      return [...wrong, ...check(key.keys ?? [], place)];
    });
  }
  const entries = Object.entries(applePayloads);
  expect(entries).toHaveLength(14);
  expect(entries.flatMap(([type, { keys }]) => check(keys, type))).toEqual([]);
});

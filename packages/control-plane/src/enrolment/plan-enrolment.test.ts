import type { ProfileGrant } from '@tapline/profiles';
import type { Enrolment, EnrolmentPayload, EnrolmentSpec } from '@tapline/resources';
import { describe, expect, test } from 'vitest';
import { planEnrolment } from './plan-enrolment.ts';

const nowMs = Date.UTC(2026, 0, 1);
const day = 86_400_000;
const clip: EnrolmentPayload = {
  id: 'clip',
  name: 'News',
  webClip: { url: 'https://tv.example/news' },
};

function enrolment(spec: Partial<EnrolmentSpec> = {}, status: Enrolment['status'] = {}): Enrolment {
  return {
    apiVersion: 'tapline.dev/v1alpha1',
    kind: 'Enrolment',
    metadata: { name: 'news', uid: 'u-1', generation: 3 },
    spec: {
      title: 'News',
      system: 'iOS',
      payloads: [clip],
      link: { seconds: 3600, generation: 1, revoked: false },
      ...spec,
    },
    status,
  };
}

function urlOf({ uid, generation, expiresMs }: ProfileGrant): string {
  return `https://a.example/${uid}/${generation}/${expiresMs - nowMs}`;
}

function plan(object: Enrolment, atMs = nowMs): ReturnType<typeof planEnrolment> {
  return planEnrolment(object, { nowMs: atMs, urlOf });
}

test('a link is made once, and stays whatever it leads to', () => {
  const { status, againAtMs } = plan(enrolment());
  expect(status).toMatchObject({
    observedGeneration: 3,
    linkGeneration: 1,
    url: 'https://a.example/u-1/1/3600000',
    expiresAt: '2026-01-01T01:00:00.000Z',
    digest: expect.stringMatching(/^sha256:/),
    conditions: [{ type: 'Ready', status: 'True', reason: 'Served' }],
  });
  expect(againAtMs).toBe(nowMs + 3_600_000);
  const later = plan(enrolment({ title: 'Renewed' }, { ...status, downloads: 4 }), nowMs + 60_000);
  expect(later.status).toMatchObject({
    url: status.url,
    expiresAt: status.expiresAt,
    uuid: status.uuid,
    downloads: 4,
  });
  expect(later.status.digest).not.toBe(status.digest);
  expect(plan(enrolment({}, status), nowMs + 1000).status).toEqual(status);
});

test('it ends by its time, by being revoked, and by a higher generation', () => {
  const { status } = plan(enrolment());
  const expired = plan(enrolment({}, status), nowMs + day);
  expect(expired.status.url).toBeUndefined();
  expect(expired.status.conditions).toMatchObject([{ status: 'False', reason: 'Expired' }]);
  expect(expired.againAtMs).toBeUndefined();
  const link = { seconds: 3600, generation: 1, revoked: true };
  const revoked = plan(enrolment({ link }, status));
  expect(revoked.status.url).toBeUndefined();
  expect(revoked.status.conditions).toMatchObject([{ status: 'False', reason: 'Revoked' }]);
  const renewed = plan(
    enrolment({ link: { seconds: 60, generation: 2, revoked: false } }, expired.status),
    nowMs + day,
  );
  expect(renewed.status).toMatchObject({
    url: `https://a.example/u-1/2/${day + 60_000}`,
    linkGeneration: 2,
  });
});

describe('what cannot be a profile says why, and has no link', () => {
  test.each<readonly [string, readonly EnrolmentPayload[], RegExp]>([
    ['nothing', [{ id: 'a', name: 'a' }], /payload a: it is nothing; it must be one of webClip/],
    [
      'two at once',
      [{ ...clip, dns: { tlsName: 'a.example' } }],
      /payload clip: it is webClip and dns/,
    ],
    [
      'DNS of two kinds',
      [{ id: 'd', name: 'd', dns: {} }],
      /dns needs one of httpsUrl and tlsName/,
    ],
    [
      'a reference that leads nowhere',
      [
        {
          id: 'v',
          name: 'v',
          ikev2: { server: 'a', remoteId: 'a', localId: 'b', identity: 'key' },
        },
      ],
      /payload v refers to key, which is not in the profile/,
    ],
    [
      'a certificate that is none',
      [{ id: 'c', name: 'c', certificate: { pem: 'x', role: 'root' } }],
      /payload c: certificate\.pem is no certificate/,
    ],
    ['apps of no VPN', [{ ...clip, perApp: {} }], /perApp goes with ikev2 or anyConnect/],
    [
      'Wi-Fi by certificate without one',
      [{ id: 'w', name: 'w', wifi: { ssid: 'a', security: 'Certificate' } }],
      /needs identity and serverNames/,
    ],
  ])('%s', (_, payloads, message) => {
    const { status } = plan(enrolment({ payloads: [...payloads] }));
    expect(status.url).toBeUndefined();
    expect(status.error).toEqual({
      code: 'profile_invalid',
      message: expect.stringMatching(message),
    });
    expect(status.conditions).toMatchObject([{ status: 'False', reason: 'Invalid' }]);
  });

  test('what the oldest system to install it does not have', () => {
    const relay = { http3Url: 'https://relay.example' };
    const old = { payloads: [{ id: 'r', name: 'r', relay }], systemVersion: '16.0' };
    expect(plan(enrolment(old)).status.error?.message).toMatch(/came with iOS 17\.0, after 16\.0/);
    expect(plan(enrolment({ ...old, systemVersion: '17.0' })).status.error).toBeUndefined();
  });
});

test('a payload of every kind that objects may hold is a profile', () => {
  const identity = 'key';
  const vpn = { server: 'vpn.example', onDemand: [{ action: 'Connect' as const }] };
  const { status } = plan(
    enrolment({
      systemVersion: '18.1',
      payloads: [
        clip,
        { id: 'dns', name: 'd', dns: { tlsName: 'dns.example', matchDomains: ['tv.example'] } },
        { id: 'relay', name: 'r', relay: { http2Url: 'https://relay.example', identity } },
        {
          id: identity,
          name: 'k',
          acme: {
            directoryUrl: 'https://acme.example/',
            clientIdentifier: 'c',
            commonName: 'phone',
          },
        },
        { id: 'scep', name: 's', scep: { url: 'https://scep.example', commonName: 'phone' } },
        { id: 'ikev2', name: 'i', ikev2: { ...vpn, remoteId: 'a', localId: 'b', identity } },
        { id: 'asa', name: 'a', anyConnect: { ...vpn, user: 'dana' }, perApp: {} },
        { id: 'wifi', name: 'w', wifi: { ssid: 'Studio', security: 'WPA3' } },
      ],
    }),
  );
  expect(status).toMatchObject({ url: expect.any(String) });
  expect(status.warnings).toBeUndefined();
});

import fc from 'fast-check';
import { expect, test } from 'vitest';
import { parseSubnet, subnetContains, subnetsOverlap } from '../address/subnet.ts';
import { endLease, fabricPool, grantLeases } from './grant-leases.ts';
import type { Foreign, Lease, LeaseLedger, LeaseOutcome, LeaseRequest } from './lease-ledger.ts';

const nowMs = Date.UTC(2026, 0, 1);
const nothing: Foreign = { vnis: [], prefixes: [] };
const site = { name: 'segment eu-west', first: 8192, size: 16, prefix: '10.64.0.0/22' };
const empty: LeaseLedger = { serial: 0, leases: [] };

function request(owner: string, more: Partial<LeaseRequest> = {}): LeaseRequest {
  return { owner, uid: `uid-${owner}`, size: 1, prefixLength: 24, ...more };
}

function grant(
  ledger: LeaseLedger,
  wanted: LeaseRequest,
  about: Partial<Parameters<typeof grantLeases>[2]> = {},
): { readonly ledger: LeaseLedger; readonly outcome: LeaseOutcome | undefined } {
  const granted = grantLeases(ledger, [wanted], { pool: site, foreign: nothing, nowMs, ...about });
  return { ledger: granted.ledger, outcome: granted.outcomes.get(wanted.uid) };
}

test('the lowest that is free, and the same again to who has it', () => {
  const first = grant(empty, request('news'));
  expect(first.outcome).toMatchObject({
    lease: { serial: 1, first: 8192, prefix: '10.64.0.0/24' },
  });
  const second = grant(first.ledger, request('sport'));
  expect(second.outcome).toMatchObject({
    lease: { serial: 2, first: 8193, prefix: '10.64.1.0/24' },
  });
  const again = grant(second.ledger, request('news'));
  expect(again.outcome).toEqual(first.outcome);
  expect(again.ledger).toBe(second.ledger);
});

test('a fabric keeps VNIs below 4096 free, and leases what its segments name', () => {
  const pool = fabricPool('default');
  const wanted = request('eu', { size: 4096, prefix: '10.64.0.0/12', prefixLength: undefined });
  expect(grant(empty, wanted, { pool }).outcome).toMatchObject({
    kind: 'leased',
    lease: { first: 4096, size: 4096, prefix: '10.64.0.0/12' },
  });
});

test('numbers are nobody’s for as long as they are in quarantine', () => {
  const until = new Date(nowMs + 60_000).toISOString();
  const pool = { ...site, size: 1, prefix: '10.64.0.0/24' };
  const first = grant(empty, request('news'), { pool });
  const ended = endLease(first.ledger, 'uid-news', { until });
  expect(grant(ended, request('sport'), { pool }).outcome).toEqual({
    kind: 'refused',
    code: 'addresses_exhausted',
    message: `segment eu-west has no prefix of length 24 left of 10.64.0.0/24: 0 leases, 1 in quarantine, the first until ${until}`,
    retryAt: until,
  });
  const later = grant(ended, request('sport'), { pool, nowMs: nowMs + 60_000 });
  expect(later.outcome).toMatchObject({
    lease: { serial: 2, first: 8192, prefix: '10.64.0.0/24' },
  });
  expect(later.ledger.leases).toHaveLength(1);
});

test('what is on nodes and not ours is not given out', () => {
  const foreign: Foreign = {
    vnis: [{ vni: 8192, where: 'vxlan9 on node n1' }],
    prefixes: [
      { prefix: '10.64.0.128/25', where: 'eth1 on node n1' },
      // A way to all of the site's addresses is none of a segment.
      { prefix: '10.0.0.0/8', where: 'eth0 on node n1' },
    ],
  };
  expect(grant(empty, request('news'), { foreign }).outcome).toMatchObject({
    lease: { first: 8193, prefix: '10.64.1.0/24' },
  });
});

test.each<[string, LeaseRequest, string, string]>([
  [
    'a VNI of somebody else’s overlay',
    request('x', { first: 8195 }),
    'vni_taken',
    'VNI 8195 is taken by vxlan9 on node n1',
  ],
  [
    'a VNI of another segment',
    request('x', { first: 8192 }),
    'vni_taken',
    'VNI 8192 is taken by segment news',
  ],
  [
    'a VNI of another parent',
    request('x', { first: 9000 }),
    'vni_outside_parent',
    'VNIs 9000 to 9000 are not in those of segment eu-west, 8192 to 8207',
  ],
  [
    'a block that begins in between',
    request('x', { size: 4, first: 8194 }),
    'vni_block_invalid',
    '4 VNIs cannot begin at 8194',
  ],
  [
    'a block of any size',
    request('x', { size: 3 }),
    'vni_block_invalid',
    '3 VNIs is no power of two',
  ],
  [
    'a prefix that overlaps',
    request('x', { prefix: '10.64.0.0/25', prefixLength: undefined }),
    'prefix_overlaps',
    'prefix 10.64.0.0/25 of segment x overlaps 10.64.0.0/24 of segment news',
  ],
  [
    'a prefix of another parent',
    request('x', { prefix: '10.68.0.0/24', prefixLength: undefined }),
    'prefix_outside_parent',
    'prefix 10.68.0.0/24 of segment x is not in 10.64.0.0/22 of segment eu-west',
  ],
  [
    'a prefix that a node has',
    request('x', { prefix: '10.64.3.0/24', prefixLength: undefined }),
    'prefix_taken',
    'prefix 10.64.3.0/24 of segment x overlaps 10.64.3.0/26, which eth1 on node n1 has',
  ],
  [
    'a prefix without room',
    request('x', { prefixLength: 31 }),
    'prefix_length_invalid',
    'prefixLength 31 of segment x is not from 22 to 30, what 10.64.0.0/22 has',
  ],
  [
    'more than the parent has',
    request('x', { prefixLength: 21 }),
    'prefix_length_invalid',
    'prefixLength 21 of segment x is not from 22 to 30, what 10.64.0.0/22 has',
  ],
  [
    'no more than a text',
    request('x', { prefix: '10.64.1.1/24', prefixLength: undefined }),
    'prefix_invalid',
    '10.64.1.1/24 has bits beyond its length',
  ],
  [
    'other numbers than it has',
    request('news', { prefixLength: 25 }),
    'lease_differs',
    'segment news has VNI 8192 and 10.64.0.0/24, which do not change in its life',
  ],
])('refuses %s', (_what, wanted, code, message) => {
  const { ledger } = grant(empty, request('news'));
  const foreign: Foreign = {
    vnis: [{ vni: 8195, where: 'vxlan9 on node n1' }],
    prefixes: [{ prefix: '10.64.3.0/26', where: 'eth1 on node n1' }],
  };
  const refused = grant(ledger, wanted, { foreign });
  expect(refused.outcome).toMatchObject({ kind: 'refused', code, message });
  expect(refused.ledger).toBe(ledger);
});

test('a segment without parent needs a prefix', () => {
  const pool = fabricPool('default');
  expect(grant(empty, request('x'), { pool }).outcome).toMatchObject({
    code: 'prefix_missing',
    message: 'segment x has no spec.prefix',
  });
});

test('an exhausted parent says so', () => {
  const pool = { ...site, prefix: '10.0.0.0/8' };
  let ledger = empty;
  for (let at = 0; at < 16; at += 1) ({ ledger } = grant(ledger, request(`s${at}`), { pool }));
  expect(grant(ledger, request('last'), { pool }).outcome).toMatchObject({
    code: 'vnis_exhausted',
    message:
      'segment eu-west has no block of 1 VNIs left of 16 VNIs from 8192: 16 leases, 0 in quarantine',
  });
});

function collides(a: Lease, b: Lease): boolean {
  return (
    (a.first < b.first + b.size && b.first < a.first + a.size) ||
    subnetsOverlap(parseSubnet(a.prefix), parseSubnet(b.prefix))
  );
}

const step = fc.record({
  owner: fc.nat(12).map((at) => `s${at}`),
  order: fc.nat(3),
  prefixLength: fc.integer({ min: 22, max: 30 }),
  ends: fc.boolean(),
  seconds: fc.nat(40),
});

test('whatever is asked for in whatever order, nothing is two segments’ at a time', () => {
  fc.assert(
    fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
      let ledger = empty;
      let time = nowMs;
      // Who had which numbers last, and until when nobody else may.
      const past: { lease: Lease; until: number }[] = [];
      for (const { owner, order, prefixLength, ends, seconds } of steps) {
        time += seconds * 1000;
        const wanted = request(owner, { size: 2 ** order, prefixLength });
        const before = ledger;
        if (ends) {
          const until = time + 60_000;
          ledger = endLease(ledger, wanted.uid, { until: new Date(until).toISOString() });
          const lease = before.leases.find((one) => one.uid === wanted.uid);
          if (lease !== undefined && ledger !== before) past.push({ lease, until });
        } else ({ ledger } = grant(ledger, wanted, { nowMs: time }));
        const fresh = ledger.leases.filter(({ serial }) => serial > before.serial);
        const early = past.filter(
          ({ lease, until }) => until > time && fresh.some((one) => collides(one, lease)),
        );
        expect(early).toEqual([]);
        const { leases } = ledger;
        for (const [at, a] of leases.entries()) {
          expect(a.first % a.size).toBe(0);
          expect(subnetContains(parseSubnet(site.prefix), parseSubnet(a.prefix))).toBe(true);
          expect(leases.slice(at + 1).filter((b) => collides(a, b))).toEqual([]);
        }
      }
    }),
  );
});

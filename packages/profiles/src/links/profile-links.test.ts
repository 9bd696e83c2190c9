import { randomBytes } from 'node:crypto';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { createProfileLinks } from './profile-links.ts';

const grant = fc.record({
  uid: fc.uuid(),
  generation: fc.nat(1_000_000),
  expiresMs: fc.nat(4_000_000_000).map((seconds) => seconds * 1000),
});

test('a token is read again, is the same each time, and fits into an address', () => {
  const links = createProfileLinks(randomBytes(32));
  fc.assert(
    fc.property(grant, (granted) => {
      const token = links.mint(granted);
      expect(links.read(token)).toEqual(granted);
      expect(links.mint(granted)).toBe(token);
      expect(encodeURIComponent(token)).toBe(token);
    }),
  );
});

test('no other key, no changed character, no other text', () => {
  const links = createProfileLinks(randomBytes(32));
  const others = createProfileLinks(randomBytes(32));
  fc.assert(
    fc.property(
      grant,
      fc.nat(),
      fc.constantFrom('A', 'b', '0', '_', '.'),
      (granted, at, character) => {
        const token = links.mint(granted);
        expect(others.read(token)).toBeUndefined();
        const place = at % token.length;
        const changed = token.slice(0, place) + character + token.slice(place + 1);
        // The last character of base64url has bits that nobody reads.
        fc.pre(changed !== token && place !== token.length - 1 && place !== token.indexOf('.') - 1);
        expect(links.read(changed)).toBeUndefined();
      },
    ),
  );
  fc.assert(
    fc.property(fc.string(), (text) => {
      expect(links.read(text)).toBeUndefined();
    }),
  );
  expect(() => createProfileLinks(randomBytes(16))).toThrow(/16 bytes is below 32/);
});

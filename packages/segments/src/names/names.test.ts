import fc from 'fast-check';
import { expect, test } from 'vitest';
import { linkLocal } from '../address/link-local.ts';
import { targetText } from '../address/target-text.ts';
import { groupId } from './group-id.ts';
import { bridgeName, isSegmentInterface, portName, vxlanName } from './interface-names.ts';
import { portLinkLocal } from './port-link-local.ts';
import { portMac } from './port-mac.ts';

const vni = fc.integer({ min: 4096, max: 0xffffff });
const index = fc.integer({ min: 1, max: 0xffff });
const incarnation = fc.nat({ max: 1e9 });

test('names fit into what Linux takes, and are known again', () => {
  fc.assert(
    fc.property(vni, index, incarnation, (number, port, generation) => {
      for (const name of [
        bridgeName(number),
        vxlanName(number),
        portName(number, { index: port, incarnation: generation }),
      ]) {
        expect(name.length).toBeLessThanOrEqual(15);
        expect(isSegmentInterface(name)).toBe(true);
      }
    }),
  );
});

test('two ports have neither name nor MAC in common', () => {
  fc.assert(
    fc.property(vni, vni, index, index, (vniA, vniB, a, b) => {
      fc.pre(vniA !== vniB || a !== b);
      const name = (number: number, port: number): string =>
        portName(number, { index: port, incarnation: 1 });
      expect(portMac(vniA, a)).not.toBe(portMac(vniB, b));
      expect(name(vniA, a)).not.toBe(name(vniB, b));
    }),
  );
});

test('the next incarnation has another name', () => {
  const names = [1, 2, 3].map((generation) =>
    portName(7000, { index: 9, incarnation: generation }),
  );
  expect(new Set(names).size).toBe(3);
});

test('a MAC is local and of one station', () => {
  expect(portMac(0xa1b2c3, 0x0102)).toBe('02:a1:b2:c3:01:02');
});

test("a port's link-local address is that of its MAC", () => {
  fc.assert(
    fc.property(vni, index, (number, port) => {
      const address = linkLocal(portMac(number, port));
      expect(portLinkLocal(number, port)).toEqual({ address, target: targetText(address) });
    }),
  );
});

test('a community without an id is refused', () => {
  expect(groupId({ kind: 'community', community: 'a' }, { a: 16 })).toBe(16);
  expect(() => groupId({ kind: 'community', community: 'b' }, { a: 16 })).toThrow(
    expect.objectContaining({ code: 'community_unknown' }),
  );
});

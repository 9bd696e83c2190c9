import { readFileSync } from 'node:fs';
import {
  type AssociationKey,
  type MacsecCipher,
  MacsecReceiver,
  MacsecSender,
} from '@tapline/segments';
import { expect, test } from 'vitest';
import { nodeFrameAead } from './node-frame-aead.ts';

interface Vector {
  readonly name: string;
  readonly about: string;
  readonly cipher: MacsecCipher;
  readonly key: string;
  readonly salt?: string;
  readonly ssci?: number;
  readonly packetNumberHigh?: number;
  readonly frame: string;
  readonly protected: string;
}

const folder = new URL('../../../../interop/macsec/', import.meta.url);
const vectors = readVectors('ieee-802.1ae.json');
const frames = readVectors('receive.json');

function readVectors(name: string): readonly Vector[] {
  const { vectors: found } = JSON.parse(readFileSync(new URL(name, folder), 'utf8'));
  return found;
}

function keyOf(vector: Vector): AssociationKey {
  const { cipher, salt, ssci } = vector;
  return {
    cipher,
    key: Buffer.from(vector.key, 'hex'),
    ...(salt !== undefined && { salt: Buffer.from(salt, 'hex') }),
    ...(ssci !== undefined && { ssci }),
  };
}

/** What is in the tag, read by hand: the test must not depend on what it judges. */
function tagOf(secured: Buffer) {
  const tci = secured.readUInt8(14);
  const sendSci = (tci & 0x20) !== 0;
  return {
    associationNumber: tci & 3,
    encrypt: (tci & 8) !== 0,
    low: secured.readUInt32BE(16),
    sendSci,
    sci: sendSci
      ? secured.subarray(20, 28)
      : Buffer.concat([secured.subarray(6, 12), Buffer.of(0, 1)]),
  };
}

test('there are vectors of all four cipher suites, for both protections', () => {
  const kinds = new Set(vectors.map(({ cipher, name }) => `${cipher} ${name.split(',')[0]}`));
  expect(vectors).toHaveLength(33);
  expect(kinds.size).toBeGreaterThanOrEqual(32);
});

test.each(vectors)('$name', (vector) => {
  const plain = Buffer.from(vector.frame, 'hex');
  const secured = Buffer.from(vector.protected, 'hex');
  const { associationNumber, encrypt, low, sci, sendSci } = tagOf(secured);
  const next = { high: vector.packetNumberHigh ?? 0, low };
  const sender = new MacsecSender({ aead: nodeFrameAead, sci, sendSci, encrypt });
  sender.install(associationNumber, keyOf(vector), next);
  sender.activate(associationNumber);
  const made = Buffer.alloc(200);
  const madeBytes = sender.protect(plain, { start: 0, end: plain.length }, made);
  expect(made.toString('hex', 0, madeBytes)).toBe(vector.protected);

  const receiver = new MacsecReceiver({
    aead: nodeFrameAead,
    replayWindow: 0,
    acceptReadable: true,
  });
  receiver.install(sci, associationNumber, keyOf(vector), next);
  const opened = Buffer.alloc(200);
  const range = { start: 0, end: secured.length };
  const openedBytes = receiver.open(secured, range, opened);
  expect(opened.toString('hex', 0, openedBytes)).toBe(vector.frame);
  expect(receiver.open(secured, range, opened)).toBe(0);
  expect(receiver.counters).toMatchObject({ taken: 1, late: 1 });
  // One bit anywhere else, and it is refused.
  for (let bit = 0; bit < secured.length * 8; bit += 5) {
    const forged = Buffer.from(secured);
    forged[bit >> 3] = (forged[bit >> 3] ?? 0) ^ (1 << (bit & 7));
    expect(receiver.open(forged, range, opened)).toBe(0);
  }
});

function outcomes(about: string, extended: boolean) {
  const chosen = frames.filter(
    (item) => item.about === about && (item.ssci !== undefined) === extended,
  );
  const receiver = new MacsecReceiver({
    aead: nodeFrameAead,
    replayWindow: 32,
    acceptReadable: false,
  });
  let known = '';
  return chosen.map((item) => {
    const secured = Buffer.from(item.protected, 'hex');
    const { associationNumber, sci } = tagOf(secured);
    const high = item.packetNumberHigh ?? 0;
    const key = `${sci.toString('hex')} ${associationNumber} ${item.key}`;
    if (key !== known) receiver.install(sci, associationNumber, keyOf(item), { high, low: 1 });
    known = key;
    const opened = Buffer.alloc(200);
    const bytes = receiver.open(secured, { start: 0, end: secured.length }, opened);
    return bytes > 0 && opened.toString('hex', 0, bytes) === item.frame;
  });
}

test('frames that come late are refused, also where the lower half of the number wrapped', () => {
  expect(outcomes('replay', false)).toEqual([true, true, true, false]);
  expect(outcomes('replay', true)).toEqual([true, true, true, false]);
});

test('a key that replaces another under the next number', () => {
  expect(outcomes('rekey', false)).toEqual([true, true]);
  expect(outcomes('rekey', true)).toEqual([true, true]);
});

test('invalid tags are refused', () => {
  expect(outcomes('invalid tag', false)).toEqual(Array(6).fill(false));
});

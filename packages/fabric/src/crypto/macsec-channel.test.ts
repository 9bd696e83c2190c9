import { type AssociationKey, MacsecReceiver, MacsecSender } from '@tapline/segments';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { nodeFrameAead } from './node-frame-aead.ts';

const sci = Uint8Array.from([2, 0, 0, 0, 0, 9, 0, 1]);
const extended: AssociationKey = {
  cipher: 'gcm-aes-xpn-128',
  key: new Uint8Array(16).fill(1),
  salt: new Uint8Array(12).fill(2),
  ssci: 7,
};
const short: AssociationKey = { cipher: 'gcm-aes-256', key: new Uint8Array(32).fill(1) };

function pair(replayWindow = 64, encrypt = true) {
  const sender = new MacsecSender({ aead: nodeFrameAead, sci, sendSci: true, encrypt });
  const receiver = new MacsecReceiver({ aead: nodeFrameAead, replayWindow, acceptReadable: false });
  return { sender, receiver };
}

function protect(sender: MacsecSender, frame: Uint8Array): Uint8Array {
  const made = new Uint8Array(frame.length + 40);
  return made.subarray(0, sender.protect(frame, { start: 0, end: frame.length }, made));
}

function open(receiver: MacsecReceiver, frame: Uint8Array): Uint8Array {
  const opened = new Uint8Array(frame.length + 12);
  return opened.subarray(0, receiver.open(frame, { start: 0, end: frame.length }, opened));
}

test('what was protected comes out, whatever its length', () => {
  const { sender, receiver } = pair();
  sender.install(0, extended);
  receiver.install(sci, 0, extended);
  fc.assert(
    fc.property(fc.uint8Array({ minLength: 14, maxLength: 1600 }), (frame) => {
      expect(open(receiver, protect(sender, frame))).toEqual(frame);
    }),
  );
});

test('hostile bytes come out as nothing', () => {
  const { sender, receiver } = pair();
  sender.install(0, short);
  receiver.install(sci, 0, short);
  const real = protect(sender, new Uint8Array(80));
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 100 }), fc.nat({ max: 120 }), (noise, offset) => {
      fc.pre(noise.some((byte, index) => real[offset + index] !== byte));
      const bytes = Uint8Array.from(real);
      bytes.set(
        noise.subarray(0, Math.max(0, bytes.length - offset)),
        Math.min(offset, bytes.length),
      );
      fc.pre(bytes.some((byte, index) => byte !== real[index]));
      expect(open(receiver, bytes)).toHaveLength(0);
    }),
    { numRuns: 1000 },
  );
  expect(open(receiver, real)).toHaveLength(80);
});

test('keys are replaced over all four numbers without a frame lost, though frames come late', () => {
  const { sender, receiver } = pair();
  const keyOf = (epoch: number): AssociationKey => ({
    ...extended,
    key: new Uint8Array(16).fill(epoch),
  });
  sender.install(0, keyOf(0));
  receiver.install(sci, 0, keyOf(0));
  const onTheWay: Uint8Array[] = [];
  let taken = 0;
  for (let epoch = 1; epoch <= 9; epoch += 1) {
    const number = epoch % 4;
    // First everywhere where frames are received, then where they are sent, then the old one goes.
    receiver.install(sci, number, keyOf(epoch));
    for (let frame = 0; frame < 20; frame += 1) onTheWay.push(protect(sender, new Uint8Array(100)));
    sender.install(number, keyOf(epoch));
    sender.activate(number);
    for (let frame = 0; frame < 20; frame += 1) onTheWay.push(protect(sender, new Uint8Array(100)));
    // Frames come late, and eight at a time in the opposite order.
    while (onTheWay.length > 30) {
      for (const frame of onTheWay.splice(0, 8).toReversed()) {
        if (open(receiver, frame).length > 0) taken += 1;
      }
    }
    if (epoch > 1) {
      receiver.remove(sci, (epoch - 2) % 4);
      sender.remove((epoch - 1) % 4);
    }
  }
  for (const frame of onTheWay) if (open(receiver, frame).length > 0) taken += 1;
  expect(taken).toBe(9 * 40);
  expect(receiver.counters).toMatchObject({ taken: 9 * 40, late: 0, unknownKey: 0 });
});

test('a number is never used twice: 32 bits run out and nothing leaves, 64 bits go on', () => {
  const { sender, receiver } = pair();
  sender.install(0, short, { high: 0, low: 0xffffffff });
  receiver.install(sci, 0, short, { high: 0, low: 0xfffffff0 });
  expect(sender.rotationDue).toBe(true);
  expect(open(receiver, protect(sender, new Uint8Array(60)))).toHaveLength(60);
  expect(protect(sender, new Uint8Array(60))).toHaveLength(0);

  sender.install(1, extended, { high: 0, low: 0xffffffff });
  receiver.install(sci, 1, extended, { high: 0, low: 0xfffffff0 });
  sender.activate(1);
  expect(sender.rotationDue).toBe(false);
  for (let frame = 0; frame < 3; frame += 1) {
    expect(open(receiver, protect(sender, new Uint8Array(60)))).toHaveLength(60);
  }
});

test('rotation is due a quarter of the numbers before the end', () => {
  const { sender } = pair();
  expect(sender.rotationDue).toBe(true);
  sender.install(0, short, { high: 0, low: 0xffffffff - 2 ** 30 });
  expect(sender.rotationDue).toBe(false);
  protect(sender, new Uint8Array(60));
  expect(sender.rotationDue).toBe(true);
});

test('without a key nothing leaves, and readable frames are refused where encryption is wanted', () => {
  const { sender } = pair();
  expect(protect(sender, new Uint8Array(60))).toHaveLength(0);
  expect(() => sender.activate(2)).toThrow(
    expect.objectContaining({ code: 'macsec_association_missing' }),
  );
  const readable = pair(64, false);
  readable.sender.install(0, short);
  readable.receiver.install(sci, 0, short);
  expect(open(readable.receiver, protect(readable.sender, new Uint8Array(60)))).toHaveLength(0);
  expect(readable.receiver.counters.readable).toBe(1);
});

test.each([
  ['short key', { cipher: 'gcm-aes-256', key: new Uint8Array(16) }],
  ['no salt', { cipher: 'gcm-aes-xpn-128', key: new Uint8Array(16), ssci: 1 }],
  ['no SSCI', { cipher: 'gcm-aes-xpn-128', key: new Uint8Array(16), salt: new Uint8Array(12) }],
] as const)('refuses a key that does not fit: %s', (_, key) => {
  expect(() => pair().sender.install(0, key)).toThrow(
    expect.objectContaining({ code: 'macsec_key_invalid' }),
  );
});

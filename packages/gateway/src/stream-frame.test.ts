import fc from 'fast-check';
import { expect, test } from 'vitest';
import { decodeOutcome, encodeOutcome } from './exec-outcome.ts';
import { decodeFrame, encodeFrame, type StreamFrame } from './stream-frame.ts';

const frame: fc.Arbitrary<StreamFrame> = fc.oneof(
  fc.record({
    kind: fc.constantFrom('stdin', 'stdout', 'stderr', 'error', 'resize'),
    bytes: fc.uint8Array({ maxLength: 64 }),
  }),
  fc.record({ kind: fc.constant('close'), channel: fc.integer({ min: 0, max: 4 }) }),
);

test('a frame survives the wire', () => {
  fc.assert(
    fc.property(frame, (given) => {
      expect(decodeFrame(encodeFrame(given))).toEqual(given);
    }),
  );
});

test.each([[[]], [[5, 1]], [[254]], [[255]], [[255, 0, 0]]])('refuses %j', (bytes) => {
  expect(() => decodeFrame(Uint8Array.from(bytes))).toThrow(
    expect.objectContaining({ code: 'stream_frame_invalid' }),
  );
});

test.each([
  { kind: 'exited', exitCode: 0 },
  { kind: 'exited', exitCode: 3 },
  { kind: 'failed', code: 'device_offline', message: 'the device went away' },
] as const)('an outcome survives as a Status: %j', (outcome) => {
  expect(decodeOutcome(encodeOutcome(outcome))).toEqual(outcome);
});

test('a non-zero exit is written as kubectl reads it', () => {
  const status: unknown = JSON.parse(
    new TextDecoder().decode(encodeOutcome({ kind: 'exited', exitCode: 7 })),
  );
  expect(status).toMatchObject({
    kind: 'Status',
    status: 'Failure',
    reason: 'NonZeroExitCode',
    details: { causes: [{ reason: 'ExitCode', message: '7' }] },
  });
});

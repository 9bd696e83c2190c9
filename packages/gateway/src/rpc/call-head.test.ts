import { isTaplineError } from '@tapline/base';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { decodeCallHead, encodeCallHead } from './call-head.ts';

test('a call’s path and metadata come as they were sent', () => {
  const path = '/tapline.device.v1.DeviceService/Exec';
  const metadata = new Headers({ 'grpc-timeout': '500m', 'x-note': 'a: b' });
  const head = decodeCallHead(encodeCallHead({ path, metadata }));
  expect(head.path).toBe(path);
  expect([...head.metadata]).toEqual([...metadata]);
});

test('whatever else comes is refused with one code', () => {
  fc.assert(
    fc.property(fc.oneof(fc.uint8Array({ maxLength: 200 }), fc.string().map(bytes)), (head) => {
      expect(outcomeOf(head)).toMatch(/^(\/[\w.]+\/\w+|tunnel_frame_invalid)$/);
    }),
  );
});

/** The path that was understood, or the code of the refusal. */
function outcomeOf(head: Uint8Array): string {
  try {
    return decodeCallHead(head).path;
  } catch (error) {
    return isTaplineError(error) ? error.code : String(error);
  }
}

function bytes(text: string): Uint8Array {
  return new TextEncoder().encode(`/a.B/c\n${text}`);
}

import fc from 'fast-check';
import { isTaplineError } from '@tapline/base';
import { expect, test } from 'vitest';
import { parseDeviceMessage, parseServerMessage } from './session-messages.ts';

const report = { agentVersion: '1', platform: 'linux/arm64', bootId: 'b', runtimes: ['runc'] };
const exec = { kind: 'exec', install: 'd1.jq', uid: 'u', command: ['jq', '.'], stdin: true };

test.each([
  { kind: 'hello', now: 1, report },
  {
    kind: 'report',
    report: { ...report, storage: { freeBytes: 3, reservedBytes: 2, usedBytes: 1 } },
  },
  { kind: 'pong', sequence: 4 },
  { kind: 'refuse-stream', streamId: 's', code: 'c', message: 'm' },
])('a device says %j', (message) => {
  expect(parseDeviceMessage(JSON.stringify(message))).toEqual(message);
});

test.each([
  { kind: 'welcome', epoch: 3, serverTime: 5, pingIntervalMs: 15 },
  { kind: 'ping', sequence: 4 },
  { kind: 'open-stream', streamId: 's', request: exec },
  {
    kind: 'open-stream',
    streamId: 's',
    request: { kind: 'logs', install: 'a', uid: 'u', follow: true, tailLines: 10 },
  },
])('a gateway says %j', (message) => {
  expect(parseServerMessage(JSON.stringify(message))).toEqual(message);
});

test('what a newer peer adds is passed over', () => {
  expect(parseDeviceMessage('{"kind":"from-the-future"}')).toBeUndefined();
  expect(parseServerMessage('{"kind":"ping","sequence":1,"more":true}')).toEqual({
    kind: 'ping',
    sequence: 1,
  });
});

test.each([
  ['{"kind":"pong"}', 'sequence'],
  ['{"kind":"hello","now":1,"report":{"agentVersion":""}}', 'agentVersion'],
  ['[]', 'object'],
  ['nonsense', 'JSON'],
  [`{"kind":"refuse-stream","streamId":"${'s'.repeat(65)}"}`, '65 characters, more than 64'],
])('refuses %s, naming %s', (text, words) => {
  expect(() => parseDeviceMessage(text)).toThrow(
    expect.objectContaining({
      code: 'session_message_invalid',
      message: expect.stringContaining(words) as string,
    }),
  );
});

test('anything at all is a message, nothing, or refused by its code', () => {
  const codeOf = (parse: (text: string) => unknown, text: string): string | undefined => {
    try {
      parse(text);
      return undefined;
    } catch (error) {
      return isTaplineError(error) ? error.code : String(error);
    }
  };
  fc.assert(
    fc.property(fc.oneof(fc.json(), fc.string()), (text) => {
      for (const parse of [parseDeviceMessage, parseServerMessage]) {
        expect([undefined, 'session_message_invalid']).toContain(codeOf(parse, text));
      }
    }),
  );
});

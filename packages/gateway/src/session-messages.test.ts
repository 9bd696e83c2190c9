import fc from 'fast-check';
import { isTaplineError } from '@tapline/base';
import { expect, test } from 'vitest';
import { parseDeviceMessage, parseServerMessage } from './session-messages.ts';

const report = { agentVersion: '1', platform: 'linux/arm64', bootId: 'b', runtimes: ['runc'] };

test.each([
  { kind: 'hello', now: 1, report },
  {
    kind: 'report',
    report: { ...report, storage: { freeBytes: 3, reservedBytes: 2, usedBytes: 1 } },
  },
])('a device says %j', (message) => {
  expect(parseDeviceMessage(JSON.stringify(message))).toEqual(message);
});

test.each([
  { kind: 'welcome', epoch: 3, serverTime: 5 },
  { kind: 'welcome', epoch: 3, previousEpoch: 2, serverTime: 5 },
])('a gateway says which session it is with %j', (message) => {
  expect(parseServerMessage(JSON.stringify(message))).toEqual(message);
});

test('what a newer peer adds is passed over', () => {
  expect(parseDeviceMessage('{"kind":"from-the-future"}')).toBeUndefined();
  expect(parseServerMessage('{"kind":"welcome","epoch":1,"serverTime":2,"more":true}')).toEqual({
    kind: 'welcome',
    epoch: 1,
    serverTime: 2,
  });
});

test.each([
  ['{"kind":"hello"}', 'now'],
  ['{"kind":"hello","now":1,"report":{"agentVersion":""}}', 'agentVersion'],
  ['[]', 'object'],
  ['nonsense', 'JSON'],
  [
    `{"kind":"report","report":{"agentVersion":"${'s'.repeat(65)}"}}`,
    '65 characters, more than 64',
  ],
])('refuses %s, naming %s', (text, words) => {
  expect(() => parseDeviceMessage(text)).toThrow(
    expect.objectContaining({
      code: 'session_message_invalid',
      message: expect.stringContaining(words) as string,
    }),
  );
});

const parsers = [parseDeviceMessage, parseServerMessage];

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
      for (const parse of parsers) {
        expect([undefined, 'session_message_invalid']).toContain(codeOf(parse, text));
      }
    }),
  );
});

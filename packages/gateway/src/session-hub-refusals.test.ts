import { type Log, silentLog, systemClock } from '@tapline/base';
import { deviceResource } from '@tapline/resources';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import {
  type Credentials,
  echo,
  startTestHub,
  type TestHub,
  until,
} from './testing/start-test-hub.ts';
import { dialTunnel } from './tunnel/dial-tunnel.ts';

let gateway: TestHub;
beforeEach(async () => {
  gateway = await startTestHub();
});
afterEach(() => gateway[Symbol.asyncDispose]());

describe('refused', () => {
  const refusal = async (credentials: Credentials): Promise<string> => {
    let message = '';
    const log: Log = {
      ...silentLog,
      info: (_text, fields) => (message = String(fields?.['error'])),
    };
    const session = gateway.connect(credentials, { log });
    await until(() => expect(message).not.toBe(''));
    expect(session.epoch).toBeUndefined();
    return message;
  };

  test('a device that was deleted', async () => {
    const credentials = await gateway.enrolled('d1');
    await gateway.client.delete(deviceResource, 'd1');
    expect(await refusal(credentials)).toContain('not enrolled');
  });

  test('the old key of a device that enrolled again', async () => {
    const credentials = await gateway.enrolled('d1');
    await gateway.client.delete(deviceResource, 'd1');
    await gateway.enrolled('d1');
    expect(await refusal(credentials)).toContain('another key');
  });

  test('a user who is no device', async () => {
    const { certificatePem: cert, privateKeyPem: key } = gateway.authority.issueIdentity({
      user: 'admin',
      groups: ['system:masters'],
    });
    expect(
      await refusal({ name: 'admin', tls: { ca: gateway.authority.certificatePem, cert, key } }),
    ).toContain('device certificate');
  });
});

/** A frame as bytes, whatever is in it. */
function rawFrame(
  type: number,
  { stream = 0, body = '' }: { readonly stream?: number; readonly body?: string | Buffer },
): Buffer {
  const bytes = Buffer.from(body);
  const header = Buffer.alloc(8);
  header.writeUInt8(type, 0);
  header.writeUInt16BE(bytes.length, 2);
  header.writeUInt32BE(stream, 4);
  return Buffer.concat([header, bytes]);
}

const hello = rawFrame(0x01, { body: 'TPLN\x01\x01' });
const opened1 = (header: Buffer, name = 'x'): Buffer =>
  rawFrame(0x40, {
    stream: 1,
    body: Buffer.concat([
      Buffer.from('\0\0\0\0\0\0\0\0\x40'),
      Buffer.from([name.length]),
      Buffer.from(name),
      header,
    ]),
  });
const said = (message: string): Buffer =>
  rawFrame(0x41, { stream: 1, body: `\0\0\0${String.fromCharCode(message.length)}${message}` });

/** What a device sends that means ill or is broken, and the code of Close that it is put out with. */
const abuses: Readonly<Record<string, readonly [code: number, ...sent: readonly Buffer[]]>> = {
  'speaks another version': [8, rawFrame(0x01, { body: 'TPLN\x09\x09' })],
  'sends what is no greeting': [2, rawFrame(0x41, { stream: 1, body: 'x' })],
  'comes back with a token that is none': [
    9,
    rawFrame(0x03, {
      body: Buffer.concat([
        Buffer.from([0x54, 0x50, 0x4c, 0x4e, 1, 1, 0, 1, 0, 32]),
        Buffer.alloc(32, 7),
        Buffer.from([0, 2, 0, 8]),
        Buffer.alloc(8),
      ]),
    }),
  ],
  'sends a frame larger than any may be': [
    4,
    hello,
    Buffer.from([0x41, 0, 0xff, 0xff, 0, 0, 0, 1]),
  ],
  'opens a stream with a giant header': [5, hello, opened1(Buffer.alloc(8193))],
  'greets and then says nothing': [13, hello],
  'says what no device says': [
    2,
    hello,
    opened1(Buffer.alloc(0), 'session'),
    said('{"kind":"hello"}'),
  ],
};

describe('a device that', () => {
  test.each(Object.keys(abuses))(
    '%s is put out with its code, and nobody else notices',
    async (name) => {
      const [code = 0, ...sent] = abuses[name] ?? [];
      const honest = gateway.connect(await gateway.enrolled('d1'), { service: echo });
      await until(() => expect(honest.epoch).toBe(1));
      const { send, next } = await gateway.openEcho('d1');
      const { tls } = await gateway.enrolled('d2');
      const heard: Buffer[] = [];
      const dial = dialTunnel({ server: gateway.url, tls: () => tls, clock: systemClock });
      const ended = dial((transport) => {
        for (const bytes of sent as readonly Buffer[]) transport.write(bytes);
        return {
          drained: () => undefined,
          closed: () => undefined,
          receive: (bytes) => void heard.push(Buffer.from(bytes)),
        };
      }, new AbortController().signal);
      await ended;
      expect(closeCodes(Buffer.concat(heard))).toEqual([code]);
      send(Uint8Array.of(1));
      expect(await next()).toMatchObject({ case: 'stdout', value: Uint8Array.of(1) });
      expect(honest.epoch).toBe(1);
    },
  );
});

/** The codes of the frames Close. */
function closeCodes(bytes: Buffer): readonly number[] {
  const codes: number[] = [];
  for (let at = 0; at + 8 <= bytes.length;) {
    if (bytes[at] === 0x05) codes.push(bytes.readUInt16BE(at + 8));
    at += 8 + bytes.readUInt16BE(at + 2);
  }
  return codes;
}

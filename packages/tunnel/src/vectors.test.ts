import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { closeError } from './close-code.ts';
import { decodeEnding, encodeEnding } from './ending-body.ts';
import { headerBytes } from './frame.ts';
import { FrameDecoder } from './frame-decoder.ts';
import { decodeOpen, encodeOpen, type StreamClass } from './open-body.ts';
import {
  decodeAnswer,
  decodeGreeting,
  encodeAnswer,
  encodeGreeting,
  type Parameters,
} from './parameters.ts';
import { readUint16, readUint64 } from './read-number.ts';
import { createPipe } from './testing/pipe.ts';
import { TunnelPair } from './testing/tunnel-pair.ts';
import { writeHeader, writeUint64 } from './write-header.ts';

interface Vectors {
  readonly valid: readonly {
    readonly name: string;
    readonly hex: string;
    readonly frame: {
      readonly type: number;
      readonly flags: number;
      readonly stream: number;
      readonly body: string;
    };
    readonly means?: Meaning;
  }[];
  readonly invalid: readonly {
    readonly name: string;
    readonly hex: string;
    readonly code: string;
  }[];
}

type Written = Omit<Parameters, 'token'> & { readonly token?: string };
type Meaning =
  | {
      readonly kind: 'greeting';
      readonly versions: { readonly least: number; readonly most: number };
      readonly parameters: Written;
    }
  | { readonly kind: 'answer'; readonly version: number; readonly parameters: Written }
  | { readonly kind: 'ending'; readonly code: number; readonly reason: string }
  | { readonly kind: 'position'; readonly position: number }
  | {
      readonly kind: 'open';
      readonly class: StreamClass;
      readonly deadlineMs: number;
      readonly streamCredit: number;
      readonly streamName: string;
      readonly header: string;
    };

const file = new URL('../../../interop/tunnel/frames.json', import.meta.url);
const vectors = JSON.parse(readFileSync(file, 'utf8')) as Vectors;
const bytesOf = (hex: string): Uint8Array => new Uint8Array(Buffer.from(hex, 'hex'));
const hexOf = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex');

function fromWritten({ token, ...rest }: Written): Parameters {
  return token === undefined ? rest : { ...rest, token: bytesOf(token) };
}

function toWritten({ token, ...rest }: Parameters): Written {
  return token === undefined ? rest : { ...rest, token: hexOf(token) };
}

function decoded(hex: string): Record<string, unknown> {
  let found: Record<string, unknown> = {};
  let body = '';
  const take = (type: number, flags: number, stream: number): void => {
    found = { type, flags, stream, body };
  };
  new FrameDecoder({
    dataBegins() {},
    dataPart: (_stream, part) => void (body += hexOf(part)),
    dataEnds: (stream, flags) => take(0x41, flags, stream),
    frame(type, flags, stream, whole) {
      body = hexOf(whole);
      take(type, flags, stream);
    },
  }).push(bytesOf(hex));
  return found;
}

test.each(vectors.valid)('$name', ({ hex, frame }) => {
  expect(decoded(hex)).toEqual(frame);
  const body = bytesOf(frame.body);
  const bytes = new Uint8Array(headerBytes + body.length);
  bytes.set(body, writeHeader(bytes, 0, { ...frame, length: body.length }));
  expect(hexOf(bytes)).toBe(hex);
});

function read(means: Meaning, body: Uint8Array): Meaning {
  switch (means.kind) {
    case 'greeting': {
      const { versions, parameters } = decodeGreeting(body);
      return { kind: 'greeting', versions, parameters: toWritten(parameters) };
    }
    case 'answer': {
      const { version, parameters } = decodeAnswer(body);
      return { kind: 'answer', version, parameters: toWritten(parameters) };
    }
    case 'ending':
      return { kind: 'ending', ...decodeEnding(body) };
    case 'position':
      return { kind: 'position', position: readUint64(body, 0) };
    case 'open': {
      const { opening, streamCredit } = decodeOpen(body);
      const { class: streamClass, deadlineMs, name, header } = opening;
      return {
        kind: 'open',
        class: streamClass,
        deadlineMs,
        streamCredit,
        streamName: name,
        header: hexOf(header),
      };
    }
  }
}

function written(means: Meaning): Uint8Array {
  switch (means.kind) {
    case 'greeting':
      return encodeGreeting(means.versions, fromWritten(means.parameters));
    case 'answer':
      return encodeAnswer(means.version, fromWritten(means.parameters));
    case 'ending':
      return encodeEnding(means.code, means.reason);
    case 'position': {
      const body = new Uint8Array(8);
      writeUint64(body, 0, means.position);
      return body;
    }
    case 'open': {
      const { class: streamClass, deadlineMs, streamName: name, header } = means;
      const opening = { class: streamClass, deadlineMs, name, header: bytesOf(header) };
      return encodeOpen(opening, means.streamCredit);
    }
  }
}

const meant = vectors.valid.flatMap(({ name, frame, means }) =>
  means === undefined ? [] : [{ name, body: frame.body, means }],
);

test.each(meant)('the body of: $name', ({ name, body, means }) => {
  expect(read(means, bytesOf(body))).toEqual(means);
  const exact = name.includes('later version') ? undefined : hexOf(written(means));
  expect(exact ?? body).toBe(body);
});

test.each(vectors.invalid)('refused: $name', async ({ hex, code }) => {
  const pair = new TunnelPair();
  const pipe = createPipe();
  let answer: Uint8Array = new Uint8Array();
  pipe.left.events = { receive: (bytes) => void (answer = bytes), drained() {}, closed() {} };
  pair.server.accept(pipe.right, 'd2').receive(bytesOf(hex));
  expect(pipe.deliver('left')).toBe(true);
  const closeCode = readUint16(answer, headerBytes);
  expect([answer[0], closeError(closeCode, '').code]).toEqual([5, code]);
});

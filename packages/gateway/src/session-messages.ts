import { TaplineError } from '@tapline/base';

/** Disk space of a device's image store, in bytes. */
export interface StorageReport {
  readonly freeBytes: number;
  readonly reservedBytes: number;
  readonly usedBytes: number;
}

/** What a device says of itself when it connects, and whenever it changes. */
export interface DeviceReport {
  readonly agentVersion: string;
  readonly platform: string;
  readonly bootId: string;
  readonly runtimes: readonly string[];
  readonly storage?: StorageReport;
  /** End of its certificate, RFC 3339. */
  readonly certificateNotAfter?: string;
}

/** What a stream is for. `install` names the Install, `uid` the very one. */
export type StreamRequest =
  | {
      readonly kind: 'exec';
      readonly install: string;
      readonly uid: string;
      readonly command: readonly string[];
      readonly stdin: boolean;
    }
  | {
      readonly kind: 'logs';
      readonly install: string;
      readonly uid: string;
      readonly follow: boolean;
      readonly tailLines?: number;
    }
  /** What the kernel of a node has at this moment. */
  | { readonly kind: 'node-state'; readonly node: string };

export type DeviceMessage =
  | {
      readonly kind: 'hello';
      /** Its wall clock, milliseconds since the Unix epoch. */
      readonly now: number;
      readonly report: DeviceReport;
    }
  | { readonly kind: 'report'; readonly report: DeviceReport };

export interface ServerMessage {
  /** Also when the device has come back: each connection has the next epoch. */
  readonly kind: 'welcome';
  readonly epoch: number;
  /** Milliseconds since the Unix epoch. */
  readonly serverTime: number;
}

/** What a device says to a request for a stream, before anything else on it. */
export type StreamAnswer =
  | { readonly kind: 'accepted' }
  | { readonly kind: 'refused'; readonly code: string; readonly message: string };

/** The names of streams in a device's tunnel. */
export const streamNames = {
  /** Of the device, one: hello and reports there, welcomes back. */
  session: 'session',
  /** Of the gateway: a request, its answer, then messages of `v5.channel.k8s.io`. */
  request: 'request',
} as const;

/** Bytes of a message, either way. An exec's command line has to fit. */
export const maxMessageBytes = 65_536;

/** A message of the device. A kind that is not known is undefined: a newer agent may send it. */
export function parseDeviceMessage(text: string): DeviceMessage | undefined {
  const fields = parseObject(text);
  switch (fields['kind']) {
    case 'hello':
      return { kind: 'hello', now: number(fields, 'now'), report: report(fields['report']) };
    case 'report':
      return { kind: 'report', report: report(fields['report']) };
    default:
      return undefined;
  }
}

/** A message of the gateway. A kind that is not known is undefined: a newer gateway may send it. */
export function parseServerMessage(text: string): ServerMessage | undefined {
  const fields = parseObject(text);
  switch (fields['kind']) {
    case 'welcome':
      return {
        kind: 'welcome',
        epoch: number(fields, 'epoch'),
        serverTime: number(fields, 'serverTime'),
      };
    default:
      return undefined;
  }
}

/** What the gateway asks for with the first message of a stream. */
export function parseStreamRequest(text: string): StreamRequest {
  return streamRequest(parseObject(text));
}

export function parseStreamAnswer(text: string): StreamAnswer {
  const fields = parseObject(text);
  if (fields['kind'] === 'accepted') return { kind: 'accepted' };
  return {
    kind: 'refused',
    code: string(fields, 'code', 128),
    message: string(fields, 'message', 4096),
  };
}

type Fields = Readonly<Record<string, unknown>>;

function streamRequest(fields: Fields): StreamRequest {
  if (fields['kind'] === 'node-state') {
    return { kind: 'node-state', node: string(fields, 'node', 63) };
  }
  const install = string(fields, 'install', 253);
  const uid = string(fields, 'uid', 64);
  switch (fields['kind']) {
    case 'exec':
      return {
        kind: 'exec',
        install,
        uid,
        command: strings(fields, 'command', { items: 256, characters: 32_768 }),
        stdin: fields['stdin'] === true,
      };
    case 'logs':
      return {
        kind: 'logs',
        install,
        uid,
        follow: fields['follow'] === true,
        ...(fields['tailLines'] === undefined ? {} : { tailLines: number(fields, 'tailLines') }),
      };
    default:
      throw invalid('request.kind is not exec, logs or node-state');
  }
}

function report(value: unknown): DeviceReport {
  const fields = object({ report: value }, 'report');
  const notAfter = fields['certificateNotAfter'];
  return {
    agentVersion: string(fields, 'agentVersion', 64),
    platform: string(fields, 'platform', 64),
    bootId: string(fields, 'bootId', 64),
    runtimes: strings(fields, 'runtimes', { items: 16, characters: 64 }),
    ...(fields['storage'] === undefined ? {} : { storage: storage(object(fields, 'storage')) }),
    ...(notAfter === undefined
      ? {}
      : { certificateNotAfter: string(fields, 'certificateNotAfter', 64) }),
  };
}

function storage(fields: Fields): StorageReport {
  return {
    freeBytes: number(fields, 'freeBytes'),
    reservedBytes: number(fields, 'reservedBytes'),
    usedBytes: number(fields, 'usedBytes'),
  };
}

function parseObject(text: string): Fields {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (cause) {
    throw new TaplineError('session_message_invalid', 'the message is not JSON', { cause });
  }
  return object({ message: value }, 'message');
}

function object(fields: Fields, name: string): Fields {
  const value = fields[name];
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value as Fields;
  throw invalid(`${name} is not an object`);
}

function number(fields: Fields, name: string): number {
  const value = fields[name];
  if (typeof value === 'number' && Number.isFinite(value) && value >= 0) return value;
  throw invalid(`${name} is not a number of at least 0`);
}

function string(fields: Fields, name: string, characters: number): string {
  const value = fields[name];
  if (typeof value !== 'string' || value === '') throw invalid(`${name} is not a text`);
  if (value.length > characters) {
    throw invalid(`${name} has ${value.length} characters, more than ${characters}`);
  }
  return value;
}

function strings(
  fields: Fields,
  name: string,
  limit: { readonly items: number; readonly characters: number },
): readonly string[] {
  const value = fields[name];
  if (!Array.isArray(value)) throw invalid(`${name} is not a list`);
  if (value.length > limit.items) {
    throw invalid(`${name} has ${value.length} entries, more than ${limit.items}`);
  }
  return value.map((item: unknown) => {
    if (typeof item === 'string' && item.length <= limit.characters) return item;
    throw invalid(`${name} has an entry that is no text of up to ${limit.characters} characters`);
  });
}

function invalid(message: string): TaplineError {
  return new TaplineError('session_message_invalid', message);
}

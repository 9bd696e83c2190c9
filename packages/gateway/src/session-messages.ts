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
  | { readonly kind: 'report'; readonly report: DeviceReport }
  | { readonly kind: 'pong'; readonly sequence: number }
  | {
      readonly kind: 'refuse-stream';
      readonly streamId: string;
      readonly code: string;
      readonly message: string;
    };

export type ServerMessage =
  | {
      readonly kind: 'welcome';
      readonly epoch: number;
      /** Milliseconds since the Unix epoch. */
      readonly serverTime: number;
      /** The device hears a ping at least this often, or the session is dead. */
      readonly pingIntervalMs: number;
    }
  | { readonly kind: 'ping'; readonly sequence: number }
  | {
      readonly kind: 'open-stream';
      readonly streamId: string;
      readonly request: StreamRequest;
    };

/** The WebSocket subprotocol of a session; its number changes with the messages. */
export const sessionProtocol = 'v1.session.tapline.dev';

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
    case 'pong':
      return { kind: 'pong', sequence: number(fields, 'sequence') };
    case 'refuse-stream':
      return {
        kind: 'refuse-stream',
        streamId: string(fields, 'streamId', 64),
        code: string(fields, 'code', 128),
        message: string(fields, 'message', 4096),
      };
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
        pingIntervalMs: number(fields, 'pingIntervalMs'),
      };
    case 'ping':
      return { kind: 'ping', sequence: number(fields, 'sequence') };
    case 'open-stream':
      return {
        kind: 'open-stream',
        streamId: string(fields, 'streamId', 64),
        request: streamRequest(object(fields, 'request')),
      };
    default:
      return undefined;
  }
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

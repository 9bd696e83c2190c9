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
  /** Where the tunnel has gone on: of the connection before, whose calls and streams still run. */
  readonly previousEpoch?: number;
  /** Milliseconds since the Unix epoch. */
  readonly serverTime: number;
}

/** The names of streams in a device's tunnel. */
export const streamNames = {
  /** Of the device, one: hello and reports there, welcomes back. */
  session: 'session',
} as const;

/** Bytes of a message, either way. */
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
        ...(fields['previousEpoch'] === undefined
          ? {}
          : { previousEpoch: number(fields, 'previousEpoch') }),
        serverTime: number(fields, 'serverTime'),
      };
    default:
      return undefined;
  }
}

type Fields = Readonly<Record<string, unknown>>;

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

import { malformed } from './json-records.ts';

/** A name as Linux takes it (dev_valid_name): 1 to 15 characters, no white space, slash or colon. */
export function deviceName(value: unknown, source: string): string {
  if (typeof value !== 'string' || !/^(?!\.{1,2}$)[^\s/:]{1,15}$/.test(value)) {
    throw malformed(source, `${describe(value)} is no name of a device`);
  }
  return value;
}

function describe(value: unknown): string {
  return typeof value === 'string' ? JSON.stringify(value.slice(0, 64)) : `a ${typeof value}`;
}

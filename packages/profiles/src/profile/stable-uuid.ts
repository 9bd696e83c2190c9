import { createHash } from 'node:crypto';

/**
 * A UUID that is always the same for a name: of version 8 (RFC 9562 §5.8), from SHA-256. A profile
 * that is made anew keeps its UUIDs, so that a device replaces it and what refers to its payloads
 * goes on working.
 */
export function stableUuid(name: string): string {
  const bytes = createHash('sha256').update('tapline profile\n').update(name).digest();
  bytes[6] = ((bytes[6] ?? 0) & 0x0f) | 0x80;
  bytes[8] = ((bytes[8] ?? 0) & 0x3f) | 0x80;
  const hex = bytes.toString('hex', 0, 16).toUpperCase();
  return [
    hex.slice(0, 8),
    hex.slice(8, 12),
    hex.slice(12, 16),
    hex.slice(16, 20),
    hex.slice(20),
  ].join('-');
}

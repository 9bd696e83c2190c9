import { STATUS_CODES } from 'node:http';
import type { HeaderFields } from '../rfc/header-fields.ts';

/** A response's head; without the empty line at its end where more fields follow. */
export function formatHead(status: number, fields: HeaderFields): string {
  let text = `HTTP/1.1 ${status} ${STATUS_CODES[status] ?? 'Status'}\r\n`;
  for (const [name, value] of fields) text += `${name}: ${value}\r\n`;
  return text;
}

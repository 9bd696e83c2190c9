import { TaplineError } from '@tapline/base';
import { isPlistDictionary, type PlistDictionary, type PlistValue } from './plist-value.ts';

const head =
  '<?xml version="1.0" encoding="UTF-8"?>\n' +
  '<!DOCTYPE plist PUBLIC "-//Apple//DTD PLIST 1.0//EN" "http://www.apple.com/DTDs/PropertyList-1.0.dtd">\n';

/** A property list in XML, keys in the order of the dictionary. Throws `plist_invalid`. */
export function formatPlist(root: PlistDictionary): string {
  return `${head}<plist version="1.0">\n${format(root, { indent: '', path: 'plist' })}</plist>\n`;
}

interface Place {
  readonly indent: string;
  readonly path: string;
}

function format(value: PlistValue, { indent, path }: Place): string {
  if (typeof value === 'string') return `${indent}<string>${escape(value, path)}</string>\n`;
  if (typeof value === 'boolean') return `${indent}<${value ? 'true' : 'false'}/>\n`;
  if (typeof value === 'number') return `${indent}${formatNumber(value, path)}\n`;
  if (value instanceof Date) return `${indent}<date>${formatDate(value, path)}</date>\n`;
  if (value instanceof Uint8Array) {
    return `${indent}<data>${Buffer.from(value).toString('base64')}</data>\n`;
  }
  const deeper = `${indent}\t`;
  if (!isPlistDictionary(value)) {
    const items = value.map((item, index) =>
      format(item, { indent: deeper, path: `${path}[${index}]` }),
    );
    return `${indent}<array>\n${items.join('')}${indent}</array>\n`;
  }
  const members = Object.entries(value).map(([key, member]) => {
    const inside = { indent: deeper, path: `${path}.${key}` };
    return `${deeper}<key>${escape(key, inside.path)}</key>\n${format(member, inside)}`;
  });
  return `${indent}<dict>\n${members.join('')}${indent}</dict>\n`;
}

function formatNumber(value: number, path: string): string {
  if (!Number.isFinite(value)) throw invalid(path, `${value} is no number`);
  if (!Number.isInteger(value)) return `<real>${value}</real>`;
  if (!Number.isSafeInteger(value)) throw invalid(path, `${value} exceeds 2^53-1`);
  return `<integer>${value}</integer>`;
}

function formatDate(value: Date, path: string): string {
  if (Number.isNaN(value.getTime())) throw invalid(path, 'it is no date');
  // Property lists know whole seconds.
  return value.toISOString().replace(/\.\d+Z$/, 'Z');
}

// XML 1.0 §2.2: what cannot be written, not even escaped. Half a surrogate pair is no character.
// eslint-disable-next-line no-control-regex
const forbidden = /[\u0000-\u0008\u000b\u000c\u000e-\u001f\ufffe\uffff]|\p{Surrogate}/u;

const entities: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  // A reader makes a line feed of it otherwise (XML 1.0 §2.11).
  '\r': '&#13;',
};

function escape(text: string, path: string): string {
  const found = forbidden.exec(text);
  if (found !== null) {
    const code = (found[0].codePointAt(0) ?? 0).toString(16).toUpperCase().padStart(4, '0');
    throw invalid(path, `it has the character U+${code}, which XML cannot hold`);
  }
  return text.replaceAll(/[&<>\r]/g, (character) => entities[character] ?? character);
}

function invalid(path: string, why: string): TaplineError {
  return new TaplineError('plist_invalid', `${path}: ${why}`, { details: { field: path } });
}

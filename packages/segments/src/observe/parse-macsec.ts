import type { LinkState, MacsecAssociation, MacsecState } from '../state/node-state.ts';
import { deviceName } from './device-name.ts';
import {
  flag,
  type JsonRecord,
  malformed,
  number,
  optionalText,
  readRecords,
  recordsOf,
  text,
} from './json-records.ts';

const source = 'ip -j macsec show';

/** Reads `ip -j macsec show`; what a device stands on is in `ip -j -d link`. */
export function parseMacsec(
  output: string,
  links: readonly Pick<LinkState, 'name' | 'lower'>[],
): readonly MacsecState[] {
  const parents = new Map(links.map((link) => [link.name, link.lower]));
  return readRecords(output, source).map((record) => {
    const dev = deviceName(record['ifname'], source);
    const encoding = number(record, 'encoding_sa', source);
    const sends = associations(record);
    const isOn = sends.some((entry) => entry.number === encoding && entry.active);
    return {
      dev,
      // A device in user space says itself what it stands on.
      parent: optionalText(record, 'parent', source) ?? parents.get(dev) ?? '',
      cipher: text(record, 'cipher_suite', source),
      encrypt: flag(record, 'encrypt', source),
      protect: flag(record, 'protect', source),
      validate: text(record, 'validate', source),
      activeTx: isOn ? encoding : -1,
      sends,
      receives: recordsOf(record['rx_sc'] ?? [], source).flatMap((channel) => {
        const { mac, port } = readSci(text(channel, 'sci', source));
        return port === 1 ? [{ mac, associations: associations(channel) }] : [];
      }),
    };
  });
}

function associations(record: JsonRecord): readonly MacsecAssociation[] {
  return recordsOf(record['sa_list'] ?? [], source).map((entry) => ({
    number: number(entry, 'an', source),
    keyId: text(entry, 'key', source),
    active: flag(entry, 'active', source),
  }));
}

/** IEEE Std 802.1AE §9.9: MAC, then port; printed as a number, without zeros in front. */
function readSci(sci: string): { readonly mac: string; readonly port: number } {
  if (!/^0x[0-9a-f]{1,16}$/.test(sci)) throw malformed(source, `${sci.slice(0, 32)} is no SCI`);
  const digits = sci.slice(2).padStart(16, '0');
  const mac = (digits.slice(0, 12).match(/../g) ?? []).join(':');
  return { mac, port: Number.parseInt(digits.slice(12), 16) };
}

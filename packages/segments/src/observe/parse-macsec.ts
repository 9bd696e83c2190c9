import type { LinkState, MacsecState } from '../state/node-state.ts';
import { deviceName } from './device-name.ts';
import { flag, number, readRecords, recordsOf, text } from './json-records.ts';

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
    const sends = recordsOf(record['sa_list'] ?? [], source).some(
      (entry) => number(entry, 'an', source) === encoding && flag(entry, 'active', source),
    );
    return {
      dev,
      parent: parents.get(dev) ?? '',
      cipher: text(record, 'cipher_suite', source),
      encrypt: flag(record, 'encrypt', source),
      protect: flag(record, 'protect', source),
      validate: text(record, 'validate', source),
      activeTx: sends ? encoding : -1,
    };
  });
}

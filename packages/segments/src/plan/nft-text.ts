import { isRecord, TaplineError } from '@tapline/base';

/** A statement or expression of ours as nft reads it; nft's JSON cannot declare sets by `typeof`. */
export function nftText(value: unknown): string {
  if (typeof value === 'number') return String(value);
  if (typeof value === 'string') return value;
  if (!isRecord(value)) throw unknownStatement(value);
  const [kind, content] = Object.entries(value)[0] ?? [];
  if (kind === 'accept' || kind === 'drop') return kind;
  if (kind === 'counter' && typeof content === 'string') return `counter name ${quoted(content)}`;
  if (kind === 'concat' && Array.isArray(content)) return content.map(nftText).join(' . ');
  if (kind === '&' && Array.isArray(content)) return content.map(nftText).join(' and ');
  if (!isRecord(content)) throw unknownStatement(value);
  switch (kind) {
    case 'match': {
      const { op, left, right } = content;
      const name = isInterfaceName(left) && typeof right === 'string' && !right.startsWith('@');
      const operator = op === '!=' || op === '<' ? `${op} ` : '';
      return `${nftText(left)} ${operator}${name ? quoted(right) : nftText(right)}`;
    }
    case 'meta':
      return `meta ${word(content['key'])}`;
    case 'payload':
      return content['base'] === undefined
        ? `${word(content['protocol'])} ${word(content['field'])}`
        : `@${word(content['base'])},${word(content['offset'])},${word(content['len'])}`;
    case 'mangle':
      return `${nftText(content['key'])} set ${nftText(content['value'])}`;
    case 'set':
      return `${word(content['op'])} ${nftText(content['set'])} { ${nftText(content['elem'])} }`;
    case 'map':
      return `${nftText(content['key'])} map ${nftText(content['data'])}`;
    default:
      throw unknownStatement(value);
  }
}

function isInterfaceName(left: unknown): boolean {
  const meta = isRecord(left) ? left['meta'] : undefined;
  return isRecord(meta) && (meta['key'] === 'iifname' || meta['key'] === 'oifname');
}

function quoted(text: string): string {
  return `"${text}"`;
}

function unknownStatement(value: unknown): TaplineError {
  return new TaplineError(
    'nft_statement_unknown',
    `no text for the statement ${JSON.stringify(value).slice(0, 200)}`,
  );
}

function word(value: unknown): string {
  if (typeof value === 'string' || typeof value === 'number') return String(value);
  throw unknownStatement(value);
}

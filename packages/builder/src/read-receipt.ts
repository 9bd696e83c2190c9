import { TaplineError } from '@tapline/base';
import { parseTab, type Tab } from '@tapline/brew';
import { readBottle, type ReadBottleOptions } from './read-bottle.ts';

const maxReceiptBytes = 4 * 1024 * 1024;

/** The tab a bottle carries itself; an empty one where it carries none, as most do. */
export async function readReceipt(path: string, options: ReadBottleOptions): Promise<Tab> {
  const chunks: Uint8Array[] = [];
  let isReceipt = false;
  for await (const event of readBottle(path, options)) {
    if (event.kind === 'entry') {
      // `<formula>/<pkg_version>/INSTALL_RECEIPT.json`
      isReceipt = /^(\.\/)?[^/]+\/[^/]+\/INSTALL_RECEIPT\.json$/.test(event.entry.path);
      if (isReceipt && event.entry.size > maxReceiptBytes) {
        throw new TaplineError(
          'tab_invalid',
          `INSTALL_RECEIPT.json of ${options.formula} has ${event.entry.size} bytes, more than ${maxReceiptBytes}`,
        );
      }
    } else if (event.kind === 'data' && isReceipt) {
      chunks.push(event.bytes);
    } else if (event.kind === 'entry-end' && isReceipt) {
      return parseTab(Buffer.concat(chunks).toString('utf8'));
    }
  }
  return {};
}

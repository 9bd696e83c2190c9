import { isIpsecOperation } from '../encryption/ipsec-operation.ts';
import { isMacsecOperation } from '../encryption/macsec-operation.ts';
import { macsecName } from '../names/interface-names.ts';
import type { Operation } from './operation.ts';

/** What encrypts by an operation, for which segments it is if it fails. */
export function encryptionOfOperation(operation: Operation): 'ipsec' | 'macsec' | undefined {
  if (isIpsecOperation(operation)) return 'ipsec';
  if (isMacsecOperation(operation)) return 'macsec';
  switch (operation.kind) {
    case 'address-add':
    case 'address-delete':
      return operation.address.dev === macsecName ? 'macsec' : undefined;
    case 'link-up':
      return operation.name === macsecName ? 'macsec' : undefined;
    default:
      return undefined;
  }
}

import type { Operation } from './operation.ts';

/** What encrypts by an operation, for which segments it is if it fails. */
export function encryptionOfOperation(operation: Operation): 'ipsec' | 'macsec' | undefined {
  switch (operation.kind) {
    case 'guard-install':
    case 'guard-delete':
    case 'association-add':
    case 'association-delete':
    case 'policy-set':
    case 'policy-delete':
      return 'ipsec';
    case 'parent-guard':
    case 'parent-open':
    case 'link-guard':
    case 'link-guard-delete':
    case 'macsec-add':
    case 'macsec-delete':
    case 'channel-add':
    case 'channel-delete':
    case 'receive-add':
    case 'receive-delete':
    case 'send-add':
    case 'send-use':
    case 'send-delete':
      return 'macsec';
    case 'address-add':
    case 'address-delete':
      return operation.address.dev === 'tm0' ? 'macsec' : undefined;
    case 'link-up':
      return operation.name === 'tm0' ? 'macsec' : undefined;
    default:
      return undefined;
  }
}

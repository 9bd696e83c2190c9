import type { KeyReference } from './key-reference.ts';

/** A change to a MACsec device, as data. `macsec-command.ts` says which command it is. */
export type MacsecOperation =
  /** Lets nothing but MACsec and the agreement on its keys through the parent, both ways. */
  | { readonly kind: 'parent-guard'; readonly parent: string }
  | { readonly kind: 'parent-open'; readonly parent: string }
  /** Drops VXLAN of these VNIs that does not go by the encrypted link. */
  | { readonly kind: 'link-guard'; readonly port: number; readonly vnis: readonly number[] }
  | { readonly kind: 'link-guard-delete' }
  | {
      readonly kind: 'macsec-add';
      readonly dev: string;
      readonly parent: string;
      readonly mtu: number;
      /** The parent's. */
      readonly mac: string;
    }
  | { readonly kind: 'macsec-delete'; readonly dev: string }
  | { readonly kind: 'channel-add' | 'channel-delete'; readonly dev: string; readonly mac: string }
  | {
      readonly kind: 'receive-add';
      readonly dev: string;
      readonly mac: string;
      readonly associationNumber: number;
      readonly keyId: string;
      readonly key: KeyReference;
    }
  | {
      readonly kind: 'receive-delete';
      readonly dev: string;
      readonly mac: string;
      readonly associationNumber: number;
    }
  | {
      readonly kind: 'send-add';
      readonly dev: string;
      readonly associationNumber: number;
      readonly keyId: string;
      readonly key: KeyReference;
    }
  | {
      readonly kind: 'send-use' | 'send-delete';
      readonly dev: string;
      readonly associationNumber: number;
    };

const kinds: Readonly<Record<MacsecOperation['kind'], true>> = {
  'parent-guard': true,
  'parent-open': true,
  'link-guard': true,
  'link-guard-delete': true,
  'macsec-add': true,
  'macsec-delete': true,
  'channel-add': true,
  'channel-delete': true,
  'receive-add': true,
  'receive-delete': true,
  'send-add': true,
  'send-use': true,
  'send-delete': true,
};

export function isMacsecOperation(operation: {
  readonly kind: string;
}): operation is MacsecOperation {
  return Object.hasOwn(kinds, operation.kind);
}

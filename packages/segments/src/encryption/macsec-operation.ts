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

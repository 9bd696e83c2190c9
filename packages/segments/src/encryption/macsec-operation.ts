import type { KeyReference } from './key-reference.ts';

/** A change to a kernel's MACsec, as data. `macsec-command.ts` says which command it is. */
export type MacsecOperation =
  /** Lets nothing but MACsec and the agreement on its keys through the parent, both ways. */
  | { readonly kind: 'parent-guard'; readonly parent: string }
  | { readonly kind: 'parent-open'; readonly parent: string }
  | { readonly kind: 'device-add'; readonly dev: string; readonly parent: string }
  | { readonly kind: 'device-delete'; readonly dev: string }
  | { readonly kind: 'channel-add' | 'channel-delete'; readonly dev: string; readonly mac: string }
  | {
      readonly kind: 'receive-add';
      readonly dev: string;
      readonly mac: string;
      readonly associationNumber: number;
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
      readonly key: KeyReference;
    }
  | {
      readonly kind: 'send-use' | 'send-delete';
      readonly dev: string;
      readonly associationNumber: number;
    };

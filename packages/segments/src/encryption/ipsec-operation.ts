import type { KeyReference } from './key-reference.ts';

/** A change to a kernel's IPsec, as data. `ipsec-command.ts` says which command it is. */
export type IpsecOperation =
  /** Drops VXLAN of these VNIs that came, or would leave, without IPsec. */
  | { readonly kind: 'guard-install'; readonly port: number; readonly vnis: readonly number[] }
  | { readonly kind: 'guard-delete' }
  | {
      readonly kind: 'association-add';
      readonly source: string;
      readonly destination: string;
      readonly spi: number;
      readonly requestId: number;
      readonly port: number;
      readonly key: KeyReference;
    }
  | {
      readonly kind: 'association-delete';
      readonly source: string;
      readonly destination: string;
      readonly spi: number;
    }
  /** Adds or replaces; with `spi` only that association is sent with. */
  | {
      readonly kind: 'policy-set';
      readonly direction: 'in' | 'out';
      readonly action: 'allow' | 'block';
      readonly priority: number;
      readonly source: string;
      readonly destination: string;
      readonly port: number;
      readonly requestId?: number;
      readonly spi?: number;
    }
  | {
      readonly kind: 'policy-delete';
      readonly direction: 'in' | 'out';
      readonly source: string;
      readonly destination: string;
      readonly port: number;
    };

const kinds: Readonly<Record<IpsecOperation['kind'], true>> = {
  'guard-install': true,
  'guard-delete': true,
  'association-add': true,
  'association-delete': true,
  'policy-set': true,
  'policy-delete': true,
};

export function isIpsecOperation(operation: {
  readonly kind: string;
}): operation is IpsecOperation {
  return Object.hasOwn(kinds, operation.kind);
}

import type { NodeCapabilities, Operation } from '@tapline/segments';

/**
 * The privileged part, as the driver sees it: it takes typed operations and nothing else, and checks
 * each again. It has no state but the WireGuard key.
 */
export interface FabricHelper extends AsyncDisposable {
  capabilities(): Promise<NodeCapabilities>;
  /** Reads the kernel: the output of fixed commands, keyed by what it is of. No secrets. */
  read(what: readonly Reading[]): Promise<Readonly<Partial<Record<Reading, string>>>>;
  /** Carries out operations in their order and stops at the first that fails. */
  execute(operations: readonly Operation[]): Promise<ExecutionResult>;
  wireguardKey(): Promise<WireguardKey>;
  /** Something in the kernel may have changed. Never what, as events are lost under load. */
  onHint(listener: () => void): void;
}

export type Reading =
  | 'links'
  | 'statistics'
  | 'addresses'
  | 'fdb'
  | 'neighbours'
  | 'egress'
  | 'nftables'
  | 'counters'
  | 'vnis'
  | 'wireguard';

export type ExecutionResult =
  | { readonly done: true }
  | {
      readonly done: false;
      /** Index of the operation that failed. */
      readonly failed: number;
      /** What the program said. */
      readonly message: string;
    };

export interface WireguardKey {
  readonly publicKey: string;
  /** Since when, milliseconds since the Unix epoch. */
  readonly madeAt: number;
}

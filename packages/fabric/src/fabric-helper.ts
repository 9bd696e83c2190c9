import type { SealRequest, SendingKeys } from './keys/sending-key-store.ts';
import type { WrappedKey } from './keys/wrapped-key.ts';
import type { NodeCapabilities, NodeOutputs, Operation } from '@tapline/segments';

/**
 * The privileged part, as the driver sees it: it takes typed operations and nothing else, and checks
 * each again. It has no state but the WireGuard key.
 */
export interface FabricHelper extends AsyncDisposable {
  capabilities(): Promise<KernelCapabilities>;
  /** Reads the kernel: what fixed commands print. Keys are left out. */
  read(what: readonly Reading[]): Promise<Readonly<Partial<Record<Reading, string>>>>;
  /**
   * Carries out operations in their order and stops at the first that fails. With `follows` nothing
   * is carried out where the operations that were given before were not: those may be given before
   * these are answered.
   */
  execute(
    operations: readonly Operation[],
    options?: { readonly follows: boolean },
  ): Promise<ExecutionResult>;
  /** Makes the key where there is none. */
  wireguardKey(): Promise<WireguardKey>;
  /** Makes a workload's network namespace, or removes it; answers its path. */
  namespace(verb: 'add' | 'delete', name: string): Promise<string>;
  /** What the node agrees on keys with, and what it has sent with. */
  keys(): Promise<SendingKeys>;
  /** What it sent with is lost: from here on it sends with others. */
  renewKeys(): Promise<SendingKeys>;
  /** Its MACsec keys of these epochs, each wrapped for the owner of a public key. */
  sealKeys(wanted: readonly SealRequest[]): Promise<readonly WrappedKey[]>;
  /** Something in the kernel may have changed; never what, as events are lost under load. */
  onHint(listener: (why: HintReason) => void): void;
}

/** `restart`: what happened while there was no helper is not known, whoever did it. */
export type HintReason = 'event' | 'restart';

/** All but the MTUs, which depend on the node's addresses. */
export type KernelCapabilities = Omit<NodeCapabilities, 'underlayMtu' | 'linkMtu'>;

export type Reading =
  | keyof NodeOutputs
  | 'routes'
  | 'statistics'
  | 'vniCounters'
  | 'counters'
  | 'macsecCounters';

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

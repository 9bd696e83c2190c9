import type { FabricIntent, SwitchCounters, SwitchedSegments } from '@tapline/segments';

/** What the owner asks of the data path's thread. */
export type DatapathRequest =
  | { readonly kind: 'apply'; readonly id: number; readonly intent: FabricIntent }
  | { readonly kind: 'counters'; readonly id: number }
  /** What it decides by at this moment. */
  | { readonly kind: 'tables'; readonly id: number }
  | { readonly kind: 'stop'; readonly id: number };

export type DatapathReply =
  | { readonly kind: 'started'; readonly wakeFd: number }
  | { readonly kind: 'applied'; readonly id: number; readonly outcome: DatapathOutcome }
  | { readonly kind: 'counters'; readonly id: number; readonly counters: DatapathCounters }
  | {
      readonly kind: 'tables';
      readonly id: number;
      readonly carriers: readonly SwitchedSegments[];
    }
  | { readonly kind: 'stopped'; readonly id: number }
  | {
      readonly kind: 'failed';
      readonly id: number;
      readonly code: string;
      readonly message: string;
    };

export interface DatapathOutcome {
  /** Interfaces that are new, by name: nobody has set them up yet. */
  readonly opened: readonly string[];
  readonly closed: readonly string[];
  /** Segments that do not stand, and why. */
  readonly refused: readonly {
    readonly segment: string;
    readonly vni: number;
    readonly code: string;
    readonly message: string;
  }[];
}

export interface DatapathCounters {
  readonly segments: readonly { readonly vni: number; readonly counters: SwitchCounters }[];
  /** Packets from addresses that are no node's. */
  readonly strangers: number;
  /** Packets that the underlay, and frames that a port did not take. */
  readonly sendErrors: number;
}

/** What carries frames of a node outside of its kernel. */
export interface Datapath extends AsyncDisposable {
  /** Makes the node what the intent says; calls are served one after the other. */
  apply(intent: FabricIntent): Promise<DatapathOutcome>;
  counters(): Promise<DatapathCounters>;
  /** What it decides by at this moment. */
  tables(): Promise<readonly SwitchedSegments[]>;
  /** What `apply` would do for ports with these names that are not there yet, a line each. */
  planned(intent: FabricIntent, names: ReadonlySet<string>): readonly string[];
}

/** Where connections to a port go. */
export type Backend =
  /** A port of the holder's own network. */
  | { readonly kind: 'port'; readonly port: number }
  /** A port of the network that the process `pid` is in. */
  | { readonly kind: 'network'; readonly pid: number; readonly port: number };

/** A port that is held open, and where its connections go. */
export interface HeldPort {
  readonly port: number;
  readonly backend: Backend;
}

/** What a holder is told: all its ports, and the revision of the program behind them. */
export interface HeldRoute {
  readonly revision: number;
  readonly ports: readonly HeldPort[];
  /** Command that connects in another network; see port-connector.ts. */
  readonly connector: readonly string[];
}

/** What a holder says of itself. */
export interface HolderState {
  /** Whose the new connections are; absent before the first route, and once it is closed. */
  readonly revision?: number;
  /** Connections that are open, by revision. */
  readonly connections: Readonly<Record<string, number>>;
}

/** What was seen on the way to a control plane; findings are made from it alone. */
export interface PathObservation {
  readonly host: string;
  readonly port: number;
  readonly name:
    | { readonly kind: 'address' }
    | { readonly kind: 'resolved'; readonly addresses: readonly string[]; readonly ms: number }
    | { readonly kind: 'failed'; readonly reason: string };
  /** Undefined where there is no address to connect to. */
  readonly connection: ConnectionObservation | undefined;
  readonly clock: ClockObservation | undefined;
  readonly bulk: BulkObservation | undefined;
  /** Undefined where this machine cannot say which way its packets go. */
  readonly route: RouteObservation | undefined;
  readonly device: DeviceObservation | undefined;
  /** Milliseconds since the Unix epoch, by this machine. */
  readonly nowMs: number;
}

export type ConnectionObservation =
  | {
      readonly kind: 'open';
      readonly address: string;
      /** Until TCP was connected, and from then on until TLS was. */
      readonly connectMs: number;
      readonly handshakeMs: number;
      readonly protocol: string;
      /** Whether there was an authority to check the certificate by. */
      readonly checked: boolean;
      /** OpenSSL's code of what is wrong with the certificate. */
      readonly fault: string | undefined;
      readonly notAfterMs: number;
    }
  | { readonly kind: 'failed'; readonly address: string; readonly reason: string }
  | { readonly kind: 'not-tls'; readonly address: string; readonly reason: string };

/** A request that was answered with the server's time. */
export interface ClockObservation {
  readonly sentMs: number;
  readonly receivedMs: number;
  /** The server's, in whole seconds as HTTP has it. */
  readonly serverMs: number;
}

/** Requests too large for one packet, sent over the connection that small ones had passed. */
export interface BulkObservation {
  /** Without what TLS and TCP add. */
  readonly sentBytes: number;
  readonly answered: boolean;
  /** The connection as the kernel sees it; undefined where it does not say. */
  readonly socket: SocketObservation | undefined;
  /** What other TCP connections of this machine sent meanwhile; undefined where it does not say. */
  readonly others: readonly SocketGrowth[] | undefined;
}

export interface SocketObservation {
  readonly pathMtu: number;
  readonly segmentBytes: number;
  readonly retransmissions: number;
}

export interface SocketGrowth {
  readonly local: string;
  readonly peer: string;
  readonly sentBytes: number;
  readonly program: string | undefined;
}

export interface RouteObservation {
  readonly device: string;
  /** `tun`, `wireguard`, … as the kernel names what the device is; undefined for plain hardware. */
  readonly kind: string | undefined;
  readonly mtu: number;
  /** Program that serves a tun device; undefined where this user may not know. */
  readonly program: string | undefined;
}

export interface DeviceObservation {
  readonly name: string;
  /** By the control plane's clock. */
  readonly issuedAtMs: number;
  readonly notAfterMs: number;
}

import type { WireguardState } from '../state/node-state.ts';

/** What a Mac has, as far as segments are concerned: `ifconfig -a`, `netstat -rn`, `wg show all dump`. */
export interface MacState {
  readonly interfaces: readonly MacInterface[];
  readonly routes: readonly MacRoute[];
  readonly wireguard: readonly WireguardState[];
}

export interface MacInterface {
  readonly name: string;
  readonly up: boolean;
  readonly mtu: number;
  readonly mac?: string;
  readonly addresses: readonly { readonly address: string; readonly prefixLength: number }[];
}

export interface MacRoute {
  readonly destination: string;
  readonly device: string;
}

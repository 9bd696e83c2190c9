import { type Clock, type Log, type Rng, TaplineError } from '@tapline/base';
import type { ControlPlaneConfiguration } from './configuration.ts';

/** What a control plane runs on. */
export interface ControlPlaneInit {
  readonly configuration: ControlPlaneConfiguration;
  readonly clock: Clock;
  readonly rng: Rng;
  readonly log: Log;
}

/** A running control plane; disposing it stops it and keeps its data. */
export interface ControlPlane extends AsyncDisposable {
  /** `https://host:port`, the first advertised host or the loopback address. */
  readonly url: string;
  readonly port: number;
  /** What join tokens carry: base64url of SHA-256 over the CA certificate's DER. */
  readonly caFingerprint: string;
  readonly caCertificatePem: string;
  /** A kubeconfig of the administrator, mode 0600. */
  readonly adminKubeconfigPath: string;
  /** Resolves when the informers are synced and reconcilers run: what /readyz says. */
  readonly ready: Promise<void>;
}

/** Starts the API, registry, gateway and reconcilers in this process. */
export async function startControlPlane(init: ControlPlaneInit): Promise<ControlPlane> {
  throw new TaplineError('unavailable', `no control plane at ${init.configuration.host} yet`);
}

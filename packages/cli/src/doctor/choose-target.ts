import { isTaplineError } from '@tapline/base';
import { agentDataDirectory } from '../device/run-agent.ts';
import { kubeconfigPath } from '../connection/connect.ts';
import type { Console } from '../framework/console.ts';
import type { DeviceObservation } from './path-observation.ts';

/** Which control plane to look at, and what is known of it here. */
export interface DoctorTarget {
  readonly server: URL;
  readonly ca: string | undefined;
  readonly device: DeviceObservation | undefined;
}

/** The URL that was given; else the one that a device here has joined; else the kubeconfig's. */
export async function chooseTarget(
  flags: {
    readonly url: string | undefined;
    readonly data: string | undefined;
    readonly kubeconfig: string | undefined;
    readonly context: string | undefined;
  },
  console: Console,
): Promise<DoctorTarget> {
  const { readPublicIdentity } = await import('@tapline/agent');
  const identity = await readPublicIdentity(agentDataDirectory(flags.data, console.environment));
  const asked = flags.url === undefined ? undefined : new URL(flags.url);
  if (identity !== undefined && (asked === undefined || asked.origin === identity.server)) {
    const { device: name, issuedAt: issuedAtMs, notAfter: notAfterMs } = identity;
    const device = { name, issuedAtMs, notAfterMs };
    return { server: new URL(identity.server), ca: identity.caPem, device };
  }
  const known = await readKubeconfig(flags, console, asked);
  return { server: asked ?? new URL(known?.baseUrl ?? ''), ca: known?.ca, device: undefined };
}

/** The kubeconfig's control plane, where it is the one that was asked for. */
async function readKubeconfig(
  flags: { readonly kubeconfig: string | undefined; readonly context: string | undefined },
  console: Console,
  asked: URL | undefined,
): Promise<{ readonly baseUrl: string; readonly ca?: string } | undefined> {
  const { loadKubeconfig } = await import('@tapline/client');
  const options = flags.context === undefined ? {} : { context: flags.context };
  let path: string;
  try {
    path = kubeconfigPath(flags.kubeconfig, console.environment);
  } catch (error) {
    if (asked !== undefined && isTaplineError(error, 'no_control_plane')) return undefined;
    throw error;
  }
  const context = await loadKubeconfig(path, options);
  return asked === undefined || new URL(context.baseUrl).origin === asked.origin
    ? context
    : undefined;
}

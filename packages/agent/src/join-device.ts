import { type Clock, TaplineError } from '@tapline/base';
import { checkDeviceName, enrolDevice, newDeviceKey } from '@tapline/gateway';
import { AgentState } from './agent-state.ts';
import { writePublicIdentity } from './public-identity.ts';
import { deviceKey, findIdentity, storeIdentity } from './stored-identity.ts';

export interface JoinRequest {
  readonly dataDirectory: string;
  readonly server: URL;
  readonly token: string;
  readonly name: string;
  /** Such as linux/arm64. */
  readonly platform: string;
  readonly labels?: Readonly<Record<string, string>>;
  readonly clock: Clock;
  readonly signal?: AbortSignal;
}

/**
 * Enrols this device and keeps its identity in its data folder; `startAgent` goes on from there.
 * May be repeated until it succeeded. Errors: those of `enrolDevice`, `already_joined`,
 * `agent_running`.
 */
export async function joinDevice(request: JoinRequest): Promise<{ readonly device: string }> {
  const { dataDirectory, server, name } = request;
  checkDeviceName(name);
  await using state = await AgentState.open(dataDirectory);
  const joined = findIdentity(state);
  if (joined !== undefined) {
    throw new TaplineError(
      'already_joined',
      `this device has joined ${joined.server} as ${joined.identity.device}`,
      { hint: 'start it with `tapline agent`, or choose another data folder' },
    );
  }
  const privateKeyPem = deviceKey(state, newDeviceKey);
  await state.barrier();
  const identity = await enrolDevice({ ...request, privateKeyPem });
  storeIdentity(state, { server: server.href, identity });
  await state.barrier();
  await writePublicIdentity(dataDirectory, { server: server.href, identity });
  return { device: identity.device };
}

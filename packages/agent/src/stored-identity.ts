import { TaplineError } from '@tapline/base';
import type { DeviceIdentity } from '@tapline/gateway';
import type { AgentState } from './agent-state.ts';

/** Which device this is, and of which control plane. */
export interface StoredIdentity {
  readonly server: string;
  readonly identity: DeviceIdentity;
}

const identityKey = 'identity';
const deviceKeyKey = 'device-key';

/** Throws `not_joined` where `tapline join` was never completed. */
export function loadIdentity(state: AgentState): StoredIdentity {
  const stored = findIdentity(state);
  if (stored !== undefined) return stored;
  throw new TaplineError('not_joined', 'this device has not joined a control plane', {
    hint: 'join one with `tapline join`',
  });
}

export function findIdentity(state: AgentState): StoredIdentity | undefined {
  return state.meta(identityKey) as StoredIdentity | undefined;
}

export function storeIdentity(state: AgentState, stored: StoredIdentity): void {
  state.putMeta(identityKey, stored);
}

/** The device's key, kept from before it is first used: a join that is repeated uses the same. */
export function deviceKey(state: AgentState, make: () => string): string {
  const kept = state.meta(deviceKeyKey);
  if (typeof kept === 'string') return kept;
  const made = make();
  state.putMeta(deviceKeyKey, made);
  return made;
}

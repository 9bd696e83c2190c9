import { backoffMs, type Clock, errorMessage, type Log, type Rng } from '@tapline/base';
import { type ClientTls, type DeviceIdentity, renewIdentity } from '@tapline/gateway';
import type { AgentState } from './agent-state.ts';
import { loadIdentity, storeIdentity } from './stored-identity.ts';

/** The device's certificate, renewed in time. */
export interface IdentityKeeper extends AsyncDisposable {
  readonly current: DeviceIdentity;
  readonly server: URL;
  tls(): ClientTls;
  /** How far this machine's clock is from the control plane's, as a session has measured it. */
  setClockSkew(ms: number): void;
  /** Called after each renewal. */
  onRenewed(listener: () => Promise<void>): void;
}

// Renewed when this share of its life is over, or up to as much later: a fleet that joined together
// does not renew together.
const renewAfterShare = 2 / 3;
const spreadShare = 0.1;
// A machine may have slept meanwhile, when no timer runs: what is due is looked at again this often.
const maxSleepMs = 30_000;

export function createIdentityKeeper(init: {
  readonly state: AgentState;
  readonly clock: Clock;
  readonly rng: Rng;
  readonly log: Log;
}): IdentityKeeper {
  const { state, clock, rng, log } = init;
  const stored = loadIdentity(state);
  const server = new URL(stored.server);
  const stopping = new AbortController();
  const listeners = new Set<() => Promise<void>>();
  let current = stored.identity;
  let skewMs = current.clockSkewMs;
  let share = drawShare();
  const running = run();

  /** By the control plane's clock, whatever this machine's own says. */
  function dueInMs(): number {
    const { issuedAt, notAfter } = current;
    return issuedAt + (notAfter - issuedAt) * share - (clock.now() - skewMs);
  }

  function drawShare(): number {
    return renewAfterShare + spreadShare * rng();
  }

  async function run(): Promise<void> {
    let failures = 0;
    try {
      for (;;) {
        const due = dueInMs();
        if (due > 0) {
          await pause(Math.min(due, maxSleepMs));
          continue;
        }
        try {
          current = await renewIdentity({
            server,
            identity: current,
            clock,
            signal: stopping.signal,
          });
          skewMs = current.clockSkewMs;
          share = drawShare();
          failures = 0;
          storeIdentity(state, { server: server.href, identity: current });
          await state.barrier();
          log.info('certificate renewed', { notAfter: new Date(current.notAfter).toISOString() });
          for (const listener of listeners) await listener();
        } catch (error) {
          stopping.signal.throwIfAborted();
          log.warn('certificate not renewed', { error: errorMessage(error) });
          await pause(backoffMs(failures, { baseMs: 5000, maxMs: 60_000, rng }));
          failures += 1;
        }
      }
    } catch (error) {
      if (!stopping.signal.aborted) log.error('certificates are not renewed any more', { error });
    }
  }

  function pause(ms: number): Promise<void> {
    return clock.sleep(ms, { signal: stopping.signal });
  }

  return {
    server,
    get current() {
      return current;
    },
    tls: () => ({ ca: current.caPem, cert: current.certificatePem, key: current.privateKeyPem }),
    setClockSkew(ms) {
      skewMs = ms;
    },
    onRenewed: (listener) => void listeners.add(listener),
    async [Symbol.asyncDispose]() {
      stopping.abort(new Error('the agent is stopping'));
      await running;
    },
  };
}

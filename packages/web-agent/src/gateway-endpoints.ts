import { TaplineError } from '@tapline/base';
import type { ChallengeAnswer, EnrolmentAnswer } from '@tapline/gateway';

const timeoutMs = 30_000;

/** What a gateway answers over HTTPS, before there is a tunnel. */
export interface GatewayEndpoints {
  challenge(signal?: AbortSignal): Promise<ChallengeAnswer>;
  enrol(body: unknown, signal?: AbortSignal): Promise<EnrolmentAnswer>;
  renew(body: unknown, signal?: AbortSignal): Promise<EnrolmentAnswer>;
}

/** Throws `gateway_unreachable`, and what the gateway refuses with. */
export function createGatewayEndpoints(server: URL): GatewayEndpoints {
  async function ask(
    name: string,
    options: { readonly body?: unknown; readonly signal: AbortSignal | undefined },
  ): Promise<unknown> {
    const { body, signal } = options;
    const late = AbortSignal.timeout(timeoutMs);
    let response: Response;
    try {
      response = await fetch(new URL(`/gateway/v1/${name}`, server), {
        method: body === undefined ? 'GET' : 'POST',
        // What the browser would send by itself says nothing about the device.
        credentials: 'omit',
        cache: 'no-store',
        redirect: 'error',
        signal: signal === undefined ? late : AbortSignal.any([signal, late]),
        ...(body === undefined
          ? {}
          : {
              headers: { 'content-type': 'application/json' },
              body: JSON.stringify(body),
            }),
      });
    } catch (cause) {
      signal?.throwIfAborted();
      throw new TaplineError('gateway_unreachable', `${server.host} does not answer`, { cause });
    }
    const text = await response.text();
    let answer: unknown;
    try {
      answer = JSON.parse(text);
    } catch (cause) {
      throw new TaplineError('gateway_error', `${server.host} answered ${response.status}`, {
        cause,
      });
    }
    if (response.ok) return answer;
    const { code, message } = answer as { readonly code?: unknown; readonly message?: unknown };
    throw new TaplineError(
      typeof code === 'string' ? code : 'gateway_error',
      typeof message === 'string' ? message : `${server.host} answered ${response.status}`,
    );
  }

  return {
    challenge: async (signal) => (await ask('challenge', { signal })) as ChallengeAnswer,
    enrol: async (body, signal) => (await ask('enrol', { body, signal })) as EnrolmentAnswer,
    renew: async (body, signal) => (await ask('renew', { body, signal })) as EnrolmentAnswer,
  };
}

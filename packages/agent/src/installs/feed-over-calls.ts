import { isTaplineError, TaplineError } from '@tapline/base';
import { type GatewayCalls, installOf, installStatusMessage } from '@tapline/gateway';
import type { Install } from '@tapline/resources';
import type { InstallFeed } from './install-feed.ts';

/** What is not answered by then is tried again, over whatever tunnel there is. */
const timeoutMs = 30_000;

/** The device's Installs by calls to the gateway that its tunnel ends at. */
export function feedOverCalls(calls: () => Promise<GatewayCalls>): InstallFeed {
  return {
    async list(_definition, { signal } = {}) {
      const ending = new AbortController();
      const signals = [ending.signal, ...(signal === undefined ? [] : [signal])];
      const items: Install[] = [];
      try {
        const responses = (await calls()).directives(
          {},
          { signal: AbortSignal.any(signals), timeoutMs },
        );
        for await (const { event } of responses) {
          if (event.case === 'changed') items.push(installOf(event.value));
          if (event.case === 'listed') {
            return { items, resourceVersion: event.value.resourceVersion };
          }
        }
      } catch (error) {
        throw ofApi(error);
      } finally {
        ending.abort('listed');
      }
      throw new TaplineError('unavailable', 'the gateway ended the call before it had listed all');
    },

    async *watch(_definition, { resourceVersion, signal }) {
      const from = resourceVersion === undefined ? {} : { resourceVersion };
      const options = signal === undefined ? {} : { signal };
      try {
        for await (const { event } of (await calls()).directives(from, options)) {
          switch (event.case) {
            case 'changed':
              yield { kind: 'modified', object: installOf(event.value) };
              break;
            case 'deleted':
              yield { kind: 'deleted', object: installOf(event.value) };
              break;
            case 'position':
            case 'listed':
              yield { kind: 'bookmark', resourceVersion: event.value.resourceVersion };
              break;
            case undefined:
              // Of a newer gateway, and not for this device.
              break;
          }
        }
      } catch (error) {
        // Whoever ends the watch gets its end, not an error.
        if (signal?.aborted !== true) throw ofApi(error);
      }
    },

    async report({ name, uid }, status, { signal } = {}) {
      const request = { name, uid, status: installStatusMessage(status) };
      try {
        await (
          await calls()
        ).reportInstall(request, { timeoutMs, ...(signal === undefined ? {} : { signal }) });
      } catch (error) {
        throw ofApi(error);
      }
    },
  };
}

/** What the gateway refuses has the API's own code. */
function ofApi(error: unknown): unknown {
  if (!isTaplineError(error, 'stream_refused')) return error;
  const { code } = error.details ?? {};
  return typeof code === 'string' ? new TaplineError(code, error.message, { cause: error }) : error;
}

import type { Clock } from '@tapline/base';
import type { Exchange } from './exchange.ts';
import type { RegistryObserver } from './registry-observer.ts';

type Observed = Parameters<RegistryObserver['answered']>[0];

const methods: ReadonlySet<string> = new Set(['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE']);

/** Tells the observer when the answer is over; set the route once it is known. */
export function observeAnswer(
  { request, response }: Pick<Exchange, 'request' | 'response'>,
  { clock, observer }: { readonly clock: Clock; readonly observer: RegistryObserver },
): { route: Observed['route'] } {
  const observed: { route: Observed['route'] } = { route: 'unknown' };
  const startMs = clock.monotonic();
  const method = request.method ?? '';
  response.once('close', () => {
    observer.answered({
      route: observed.route,
      method: methods.has(method) ? (method as Observed['method']) : 'other',
      code: response.statusCode,
      seconds: (clock.monotonic() - startMs) / 1000,
    });
  });
  return observed;
}

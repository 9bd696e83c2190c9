import { TaplineError } from '@tapline/base';

/** A `host:port` as Prometheus takes it. Throws `usage`. */
export function checkedTarget(target: string): string {
  if (/^(?:[A-Za-z0-9.-]{1,253}|\[[0-9a-f:.]+\]):\d{1,5}$/.test(target)) return target;
  throw new TaplineError('usage', `${JSON.stringify(target)} is no host:port`, {
    hint: 'write it as prometheus.example.net:9090',
  });
}

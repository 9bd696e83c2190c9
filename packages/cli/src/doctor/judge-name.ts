import type { Finding } from './finding.ts';
import type { PathObservation } from './path-observation.ts';

/** Whether the control plane's name leads anywhere. */
export function judgeName({ host, name }: PathObservation): readonly Finding[] {
  switch (name.kind) {
    case 'address':
      return [
        { code: 'name_is_address', level: 'ok', message: `${host} is an address`, details: {} },
      ];
    case 'resolved': {
      const { addresses, ms } = name;
      const message = `${host} is ${addresses.join(', ')}, found in ${Math.round(ms)} ms`;
      const details = { addresses: addresses.join(','), ms: Math.round(ms) };
      return [{ code: 'name_resolved', level: 'ok', message, details }];
    }
    case 'failed':
      return [
        {
          code: 'name_unresolved',
          level: 'error',
          message: `no name server knows ${host}: ${name.reason}`,
          hint: 'connect the VPN if the name is known only inside it, or see that it passes its name servers on',
          details: { reason: name.reason },
        },
      ];
  }
}

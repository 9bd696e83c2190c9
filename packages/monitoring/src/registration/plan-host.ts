import { TaplineError } from '@tapline/base';
import { icingaText } from '../icinga/icinga-text.ts';
import type { MonitoredHost } from './monitored-host.ts';
import type { ObservedHost } from './observed-host.ts';
import type { RegistrationStep } from './registration-step.ts';

/**
 * The steps from what Icinga has of a host to what is wanted; none where nothing is missing. Throws
 * `icinga_conflict` where the host is wanted and is somebody else's: that is never touched.
 */
export function planHost(
  name: string,
  wanted: MonitoredHost | undefined,
  { there, instance }: { readonly there: ObservedHost | undefined; readonly instance: string },
): readonly RegistrationStep[] {
  if (there !== undefined && there.instance !== instance) {
    if (wanted === undefined) return [];
    throw new TaplineError(
      'icinga_conflict',
      `Icinga has a host ${name} that ${there.instance === undefined ? 'Tapline did not make' : `instance ${there.instance} made`}`,
      { hint: 'rename one of them, or set a prefix for the names of hosts' },
    );
  }
  if (wanted === undefined) {
    return there === undefined ? [] : [{ kind: 'delete-host', host: name }];
  }
  if (there === undefined) return creation(wanted);
  const names = new Set(wanted.checks.map((check) => check.name));
  const surplus = [...there.checks].filter(([check]) => !names.has(check));
  // What was made with its host goes only with it.
  if (there.kind !== wanted.kind || surplus.some(([, { single }]) => !single)) {
    return [{ kind: 'delete-host', host: name }, ...creation(wanted)];
  }
  const title = icingaText(wanted.title);
  return [
    ...(there.title === title ? [] : [{ kind: 'rename-host', host: name, title } as const]),
    ...surplus.map(([check]) => ({ kind: 'delete-check', host: name, check }) as const),
    ...wanted.checks.flatMap((check): RegistrationStep[] => {
      const found = there.checks.get(check.name);
      if (found === undefined) return [{ kind: 'create-check', host: name, check }];
      const shown = icingaText(check.title);
      return found.title === shown
        ? []
        : [{ kind: 'rename-check', host: name, check: check.name, title: shown }];
    }),
  ];
}

/** A host brings its checks along, except for those that are made from another template. */
function creation(host: MonitoredHost): readonly RegistrationStep[] {
  const single = host.checks.filter(({ watchdog }) => watchdog === true);
  return [
    { kind: 'create-host', host },
    ...single.map((check) => ({ kind: 'create-check', host: host.name, check }) as const),
  ];
}

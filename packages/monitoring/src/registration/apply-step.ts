import { icingaText } from '../icinga/icinga-text.ts';
import type { ObservedHost } from './observed-host.ts';
import type { RegistrationStep } from './registration-step.ts';

/** What Icinga has of the step's host after the step, given what it had before. */
export function applyStep(
  there: ObservedHost | undefined,
  { step, instance }: { readonly step: RegistrationStep; readonly instance: string },
): ObservedHost | undefined {
  if (step.kind === 'create-host') {
    const { kind, title, checks } = step.host;
    return {
      instance,
      kind,
      title: icingaText(title),
      checks: new Map(
        checks
          .filter(({ watchdog }) => watchdog !== true)
          .map((check) => [check.name, { title: icingaText(check.title), single: false }]),
      ),
    };
  }
  if (step.kind === 'delete-host' || there === undefined) return undefined;
  if (step.kind === 'rename-host') return { ...there, title: step.title };
  const checks = new Map(there.checks);
  switch (step.kind) {
    case 'create-check':
      checks.set(step.check.name, { title: icingaText(step.check.title), single: true });
      break;
    case 'rename-check': {
      const single = checks.get(step.check)?.single ?? false;
      checks.set(step.check, { title: step.title, single });
      break;
    }
    case 'delete-check':
      checks.delete(step.check);
      break;
  }
  return { ...there, checks };
}

import type { IcingaClient } from '../icinga/create-icinga-client.ts';
import { parseIcingaName } from '../icinga/icinga-name.ts';
import { checkCreation, hostCreation } from './registration-bodies.ts';
import type { Placement } from './registration-config.ts';
import type { RegistrationStep } from './registration-step.ts';

/** Takes one step in Icinga. What is gone already has been deleted. */
export async function executeStep(
  client: IcingaClient,
  { step, placement }: { readonly step: RegistrationStep; readonly placement: Placement },
  options: { readonly signal?: AbortSignal } = {},
): Promise<void> {
  const { objects } = client;
  switch (step.kind) {
    case 'create-host': {
      const target = { host: parseIcingaName(step.host.name) };
      await objects.create(target, hostCreation(step.host, placement), options);
      return;
    }
    case 'rename-host': {
      const target = { host: parseIcingaName(step.host) };
      await objects.modify(target, { display_name: step.title }, options);
      return;
    }
    case 'delete-host':
      await objects.delete({ host: parseIcingaName(step.host) }, options);
      return;
    case 'create-check': {
      const target = targetOf(step.host, step.check.name);
      await objects.create(target, checkCreation(step.check, placement), options);
      return;
    }
    case 'rename-check': {
      await objects.modify(targetOf(step.host, step.check), { display_name: step.title }, options);
      return;
    }
    case 'delete-check':
      await objects.delete(targetOf(step.host, step.check), options);
      return;
  }
}

function targetOf(host: string, service: string) {
  return { host: parseIcingaName(host), service: parseIcingaName(service) };
}

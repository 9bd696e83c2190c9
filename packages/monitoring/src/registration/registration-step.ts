import type { MonitoredCheck, MonitoredHost } from './monitored-host.ts';

/** One thing to do in Icinga so that it has what is wanted. */
export type RegistrationStep =
  /** With its checks: one request makes them all. */
  | { readonly kind: 'create-host'; readonly host: MonitoredHost }
  | { readonly kind: 'rename-host'; readonly host: string; readonly title: string }
  | { readonly kind: 'delete-host'; readonly host: string }
  | { readonly kind: 'create-check'; readonly host: string; readonly check: MonitoredCheck }
  | {
      readonly kind: 'rename-check';
      readonly host: string;
      readonly check: string;
      readonly title: string;
    }
  | { readonly kind: 'delete-check'; readonly host: string; readonly check: string };

/** A step in words. */
export function describeRegistrationStep(step: RegistrationStep): string {
  switch (step.kind) {
    case 'create-host':
      return `create host ${step.host.name} with ${step.host.checks.length} checks`;
    case 'rename-host':
      return `call host ${step.host} ${JSON.stringify(step.title)}`;
    case 'delete-host':
      return `delete host ${step.host} with its checks`;
    case 'create-check':
      return `create check ${step.host}!${step.check.name}`;
    case 'rename-check':
      return `call check ${step.host}!${step.check} ${JSON.stringify(step.title)}`;
    case 'delete-check':
      return `delete check ${step.host}!${step.check}`;
  }
}

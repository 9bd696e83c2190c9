import { canonicalJson } from '@tapline/base';
import { type DesiredHarbor, type DesiredPolicy, ownedMark } from './desired-harbor.ts';
import { policyBody, robotPermissions } from './harbor-bodies.ts';
import type { HarborPolicy, HarborProject, HarborRegistry, HarborRobot } from './harbor-objects.ts';
import type { HarborStep } from './harbor-step.ts';

/** What there is in a Harbor of what is wanted. */
export interface ObservedHarbor {
  readonly project: HarborProject | undefined;
  readonly robots: readonly HarborRobot[];
  readonly registries: readonly HarborRegistry[];
  readonly policies: readonly HarborPolicy[];
}

export interface HarborPlanOptions {
  readonly nowMs: number;
  /** Whether the secret of a robot is at hand; Harbor tells it once. */
  readonly knowsSecret: (robot: string) => boolean;
}

/** An account that ends within this time is made anew. */
const renewBeforeMs = 2 * 86_400_000;

/** The steps from what is there to what is wanted; none where nothing is missing. */
export function planHarbor(
  desired: DesiredHarbor,
  observed: ObservedHarbor,
  options: HarborPlanOptions,
): readonly HarborStep[] {
  return [
    ...projectSteps(desired, observed),
    ...registrySteps(desired, observed),
    ...policySteps(desired, observed),
    ...robotSteps(desired, observed, options),
  ];
}

function projectSteps({ project }: DesiredHarbor, observed: ObservedHarbor): HarborStep[] {
  if (observed.project === undefined) return [{ kind: 'create-project', project }];
  const isPublic = observed.project.metadata?.public === 'true';
  return isPublic === project.public ? [] : [{ kind: 'update-project', project }];
}

function registrySteps({ registries }: DesiredHarbor, observed: ObservedHarbor): HarborStep[] {
  return registries.flatMap((registry): HarborStep[] => {
    const found = observed.registries.find(({ name }) => name === registry.name);
    if (found === undefined) return [{ kind: 'create-registry', registry }];
    // Secrets cannot be compared: who changes one renames the account or the registry.
    const same =
      found.url === registry.url &&
      (found.insecure ?? false) === registry.insecure &&
      (found.ca_certificate ?? '') === (registry.caPem ?? '') &&
      (found.credential?.access_key ?? '') === (registry.credential?.username ?? '');
    return same ? [] : [{ kind: 'update-registry', id: found.id, registry }];
  });
}

function policySteps({ policies }: DesiredHarbor, observed: ObservedHarbor): HarborStep[] {
  const wanted = policies.flatMap((policy): HarborStep[] => {
    const found = observed.policies.find(({ name }) => name === policy.name);
    if (found === undefined) return [{ kind: 'create-policy', policy }];
    const registry = observed.registries.find(({ name }) => name === policy.registry);
    return registry !== undefined && isSamePolicy(policy, found, registry.id)
      ? []
      : [{ kind: 'update-policy', id: found.id, policy }];
  });
  const names = new Set(policies.map(({ name }) => name));
  const left = observed.policies.filter((policy) => isOwned(policy) && !names.has(policy.name));
  return [
    ...wanted,
    ...left.map(({ id, name }): HarborStep => ({ kind: 'delete-policy', id, name })),
  ];
}

/** Whether every field that we would send is there already; Harbor adds fields of its own. */
function isSamePolicy(policy: DesiredPolicy, found: HarborPolicy, registryId: number): boolean {
  const wanted = policyBody(policy, registryId);
  const ends = {
    dest_registry: { id: found.dest_registry?.id },
    src_registry: { id: found.src_registry?.id },
  };
  return Object.entries(wanted).every(([field, value]) => {
    const actual =
      field in ends ? ends[field as keyof typeof ends] : found[field as keyof HarborPolicy];
    return canonicalJson(value) === canonicalJson(actual);
  });
}

function robotSteps(
  { project, robots }: DesiredHarbor,
  observed: ObservedHarbor,
  { nowMs, knowsSecret }: HarborPlanOptions,
): HarborStep[] {
  const wanted = robots.flatMap((robot): HarborStep[] => {
    const found = observed.robots.find(({ name }) => shortName(name) === robot.name);
    if (found === undefined) return [{ kind: 'create-robot', robot }];
    const { id, name: fullName } = found;
    if (endsSoon(found, nowMs)) {
      // Harbor counts the days from the creation: an account cannot be prolonged.
      return [
        { kind: 'delete-robot', id, name: robot.name },
        { kind: 'create-robot', robot },
      ];
    }
    const isRight =
      !found.disable &&
      canonicalJson(permissionsOf(found)) ===
        canonicalJson(sorted(robotPermissions(robot, project.name)[0]?.access ?? []));
    return [
      ...(isRight ? [] : [{ kind: 'update-robot', id, fullName, robot } as const]),
      ...(knowsSecret(robot.name)
        ? []
        : [{ kind: 'refresh-robot-secret', id, fullName, robot } as const]),
    ];
  });
  const names = new Set(robots.map(({ name }) => name));
  const left = observed.robots.filter(
    (robot) => isOwned(robot) && !names.has(shortName(robot.name)),
  );
  return [
    ...wanted,
    ...left.map(({ id, name }): HarborStep => ({
      kind: 'delete-robot',
      id,
      name: shortName(name),
    })),
  ];
}

/** `robot$tools+edge-1` is `edge-1`; the prefix before `$` is Harbor's configuration. */
function shortName(name: string): string {
  return name.slice(name.lastIndexOf('+') + 1);
}

function isOwned({ description }: { readonly description?: string }): boolean {
  return description?.startsWith(ownedMark) === true;
}

function endsSoon({ expires_at }: HarborRobot, nowMs: number): boolean {
  return expires_at !== undefined && expires_at > 0 && expires_at * 1000 < nowMs + renewBeforeMs;
}

function permissionsOf(robot: HarborRobot): readonly string[] {
  return sorted((robot.permissions ?? []).flatMap(({ access }) => access));
}

function sorted(
  access: readonly { readonly resource: string; readonly action: string }[],
): string[] {
  return access.map(({ resource, action }) => `${resource}:${action}`).toSorted();
}

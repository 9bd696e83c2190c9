import { type Clock, isTaplineError, TaplineError } from '@tapline/base';
import type { HarborClient } from './create-harbor-client.ts';
import { type DesiredHarbor, type DesiredRobot, ownedMark } from './desired-harbor.ts';
import { policyBody, projectBody, registryBody, robotBody } from './harbor-bodies.ts';
import type { HarborStep } from './harbor-step.ts';
import { type ObservedHarbor, planHarbor } from './plan-harbor.ts';

/** The login of a robot account. */
export interface RobotLogin {
  readonly robot: DesiredRobot;
  /** With Harbor's prefix: what `podman login --username` takes. */
  readonly username: string;
  readonly secret: string;
}

export interface EnsureHarborOptions {
  readonly clock: Clock;
  readonly knowsSecret: (robot: string) => boolean;
  /** Stores a login before the next step is taken. */
  readonly onLogin: (login: RobotLogin) => Promise<void> | void;
  /** Told of each step before it is taken. */
  readonly onStep?: (step: HarborStep) => void;
  readonly signal?: AbortSignal;
}

// Somebody else may change Harbor meanwhile, and a created registry has an id only then.
const maxRounds = 4;

/**
 * Makes a Harbor be as desired; answers the steps that it took, none where all was so. Throws
 * `harbor_unsettled` where others keep changing it.
 */
export async function ensureHarbor(
  client: HarborClient,
  desired: DesiredHarbor,
  options: EnsureHarborOptions,
): Promise<readonly HarborStep[]> {
  const taken: HarborStep[] = [];
  const told = new Set<string>();
  const knowsSecret = (robot: string): boolean => told.has(robot) || options.knowsSecret(robot);
  for (let round = 0; round < maxRounds; round += 1) {
    const observed = await observeHarbor(client, desired, options);
    const plan = planHarbor(desired, observed, { nowMs: options.clock.now(), knowsSecret });
    if (plan.length === 0) return taken;
    for (const step of plan) {
      options.signal?.throwIfAborted();
      options.onStep?.(step);
      try {
        const login = await takeStep(client, { step, desired }, options);
        taken.push(step);
        if (login === undefined) continue;
        await options.onLogin(login);
        told.add(login.robot.name);
      } catch (error) {
        // It is there, or gone, in the meantime: the next round looks at what there is.
        if (
          !isTaplineError(error, 'harbor_conflict') &&
          !isTaplineError(error, 'harbor_not_found')
        ) {
          throw error;
        }
      }
    }
  }
  throw new TaplineError(
    'harbor_unsettled',
    `project ${desired.project.name} was not as wanted after ${maxRounds} rounds`,
    { hint: 'see who else changes this project of Harbor' },
  );
}

/** What there is now of what is wanted. */
export async function observeHarbor(
  client: HarborClient,
  desired: DesiredHarbor,
  { signal }: { readonly signal?: AbortSignal },
): Promise<ObservedHarbor> {
  const project = await client.projects.find(desired.project.name, { signal });
  return {
    project,
    robots: project === undefined ? [] : await client.robots.list(project.project_id, { signal }),
    registries: await client.registries.list({ signal }),
    policies: await client.policies.list({ signal }),
  };
}

async function takeStep(
  client: HarborClient,
  { step, desired }: { readonly step: HarborStep; readonly desired: DesiredHarbor },
  { signal }: { readonly signal?: AbortSignal },
): Promise<RobotLogin | undefined> {
  const project = desired.project.name;
  switch (step.kind) {
    case 'create-project':
      await client.projects.create(projectBody(step.project), { signal });
      return undefined;
    case 'update-project':
      await client.projects.update(projectBody(step.project), { signal });
      return undefined;
    case 'create-registry':
      await client.registries.create(registryBody(step.registry), { signal });
      return undefined;
    case 'update-registry': {
      const { url, insecure, caPem, credential } = step.registry;
      const update = {
        description: ownedMark,
        url,
        insecure,
        ...(caPem !== undefined && { ca_certificate: caPem }),
        ...(credential !== undefined && {
          credential_type: 'basic',
          access_key: credential.username,
          access_secret: credential.password,
        }),
      };
      await client.registries.update(step.id, update, { signal });
      return undefined;
    }
    case 'create-policy':
      await client.policies.create(
        policyBody(step.policy, await registryId(step.policy.registry)),
        {
          signal,
        },
      );
      return undefined;
    case 'update-policy': {
      const body = policyBody(step.policy, await registryId(step.policy.registry));
      await client.policies.update({ id: step.id, ...body }, { signal });
      return undefined;
    }
    case 'delete-policy':
      await client.policies.delete(step.id, { signal });
      return undefined;
    case 'create-robot': {
      const { name, secret } = await client.robots.create(robotBody(step.robot, project), {
        signal,
      });
      return { robot: step.robot, username: name, secret };
    }
    case 'update-robot': {
      // Harbor refuses an update that changes the name, and says it with its prefix.
      const body = { ...robotBody(step.robot, project), id: step.id, name: step.fullName };
      await client.robots.update(body, { signal });
      return undefined;
    }
    case 'refresh-robot-secret': {
      const secret = await client.robots.refreshSecret(step.id, { signal });
      return { robot: step.robot, username: step.fullName, secret };
    }
    case 'delete-robot':
      await client.robots.delete(step.id, { signal });
      return undefined;
  }

  async function registryId(name: string): Promise<number> {
    const found = (await client.registries.list({ signal })).find((one) => one.name === name);
    if (found !== undefined) return found.id;
    throw new TaplineError('harbor_invalid', `Harbor has no registry ${name} to replicate with`, {
      hint: 'list it among the registries',
    });
  }
}

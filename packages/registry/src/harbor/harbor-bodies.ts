import type {
  DesiredHarbor,
  DesiredPolicy,
  DesiredRegistry,
  DesiredRobot,
} from './desired-harbor.ts';
import { ownedMark } from './desired-harbor.ts';
import type {
  HarborFilter,
  HarborPermission,
  HarborPolicyRequest,
  HarborProjectRequest,
  HarborRegistryRequest,
  HarborRobotRequest,
  HarborTrigger,
} from './harbor-objects.ts';

// This file says what Harbor's fields have to be for what is wanted; plans compare with the same.

export function projectBody(project: DesiredHarbor['project']): HarborProjectRequest {
  return {
    project_name: project.name,
    metadata: { public: project.public ? 'true' : 'false' },
    ...(project.storageLimit !== undefined && { storage_limit: project.storageLimit }),
  };
}

export function robotBody(robot: DesiredRobot, project: string): HarborRobotRequest {
  return {
    name: robot.name,
    description: ownedMark,
    level: 'project',
    disable: false,
    duration: robot.days ?? -1,
    permissions: robotPermissions(robot, project),
  };
}

/** Pulling takes no right to list or to read anything else of the project. */
export function robotPermissions(
  robot: DesiredRobot,
  project: string,
): readonly HarborPermission[] {
  const actions = robot.may === 'pull' ? ['pull'] : ['pull', 'push'];
  const access = actions.map((action) => ({ resource: 'repository', action }));
  return [{ kind: 'project', namespace: project, access }];
}

export function registryBody(registry: DesiredRegistry): HarborRegistryRequest {
  const { name, type, url, insecure, caPem, credential } = registry;
  return {
    name,
    description: ownedMark,
    type,
    url,
    insecure,
    ...(caPem !== undefined && { ca_certificate: caPem }),
    ...(credential !== undefined && {
      credential: {
        type: 'basic',
        access_key: credential.username,
        access_secret: credential.password,
      },
    }),
  };
}

export function policyBody(policy: DesiredPolicy, registryId: number): HarborPolicyRequest {
  const other = { id: registryId };
  return {
    name: policy.name,
    description: ownedMark,
    ...(policy.direction === 'push' ? { dest_registry: other } : { src_registry: other }),
    dest_namespace: policy.destination,
    // Only the first part of a name is replaced: `tools/jq` becomes `<destination>/jq`.
    dest_namespace_replace_count: 1,
    trigger: policyTrigger(policy),
    filters: policyFilters(policy),
    replicate_deletion: policy.deletion,
    override: true,
    enabled: true,
    speed: policy.kilobytesPerSecond ?? -1,
  };
}

function policyTrigger({ trigger }: DesiredPolicy): HarborTrigger {
  switch (trigger.kind) {
    case 'manual':
      return { type: 'manual' };
    case 'on-push':
      return { type: 'event_based' };
    case 'scheduled':
      return { type: 'scheduled', trigger_settings: { cron: trigger.cron } };
  }
}

function policyFilters(policy: DesiredPolicy): readonly HarborFilter[] {
  const { repositories, tags, labels } = policy;
  return [
    { type: 'name', value: repositories },
    ...(tags === undefined ? [] : [{ type: 'tag', value: tags, decoration: 'matches' } as const]),
    ...(labels === undefined
      ? []
      : [{ type: 'label', value: labels, decoration: 'matches' } as const]),
  ];
}

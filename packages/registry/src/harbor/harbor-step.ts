import type {
  DesiredHarbor,
  DesiredPolicy,
  DesiredRegistry,
  DesiredRobot,
} from './desired-harbor.ts';

/** One thing to do in a Harbor. */
export type HarborStep =
  | { readonly kind: 'create-project'; readonly project: DesiredHarbor['project'] }
  | { readonly kind: 'update-project'; readonly project: DesiredHarbor['project'] }
  | { readonly kind: 'create-registry'; readonly registry: DesiredRegistry }
  | { readonly kind: 'update-registry'; readonly id: number; readonly registry: DesiredRegistry }
  | { readonly kind: 'create-policy'; readonly policy: DesiredPolicy }
  | { readonly kind: 'update-policy'; readonly id: number; readonly policy: DesiredPolicy }
  | { readonly kind: 'delete-policy'; readonly id: number; readonly name: string }
  | { readonly kind: 'create-robot'; readonly robot: DesiredRobot }
  | {
      readonly kind: 'update-robot';
      readonly id: number;
      readonly fullName: string;
      readonly robot: DesiredRobot;
    }
  | {
      readonly kind: 'refresh-robot-secret';
      readonly id: number;
      readonly fullName: string;
      readonly robot: DesiredRobot;
    }
  | { readonly kind: 'delete-robot'; readonly id: number; readonly name: string };

/** A step in words; never a secret. */
export function describeHarborStep(step: HarborStep): string {
  switch (step.kind) {
    case 'create-project':
      return `create ${step.project.public ? 'public' : 'private'} project ${step.project.name}`;
    case 'update-project':
      return `make project ${step.project.name} ${step.project.public ? 'public' : 'private'}`;
    case 'create-registry':
      return `add ${step.registry.type} registry ${step.registry.name} at ${step.registry.url}`;
    case 'update-registry':
      return `change registry ${step.registry.name} to ${step.registry.url}`;
    case 'create-policy':
      return `${step.policy.direction} ${step.policy.repositories} ${step.policy.direction === 'push' ? 'to' : 'from'} ${step.policy.registry} by policy ${step.policy.name}`;
    case 'update-policy':
      return `change policy ${step.policy.name}`;
    case 'delete-policy':
      return `delete policy ${step.name}`;
    case 'create-robot':
      return `create robot ${step.robot.name}, which may ${step.robot.may.replaceAll('-', ' ')}`;
    case 'update-robot':
      return `let robot ${step.robot.name} ${step.robot.may.replaceAll('-', ' ')} and nothing else`;
    case 'refresh-robot-secret':
      return `make a new secret for robot ${step.robot.name}`;
    case 'delete-robot':
      return `delete robot ${step.name}`;
  }
}

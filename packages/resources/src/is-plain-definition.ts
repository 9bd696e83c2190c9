import type { KindDefinition, PlainDefinition } from './resource-definition.ts';

/** Whether the kind's fields are its own rather than spec and status. */
export function isPlainDefinition(definition: KindDefinition): definition is PlainDefinition {
  return 'body' in definition;
}

import type { z } from 'zod';

/** A column of tables: Kubernetes's additionalPrinterColumns, and the CLI's. */
export interface PrinterColumn {
  readonly name: string;
  readonly type: 'string' | 'integer' | 'number' | 'boolean' | 'date';
  /** A simple JSONPath below the object, such as `.status.presence.connected`. */
  readonly jsonPath: string;
  readonly description: string;
  /** 0 shows always, 1 in wide output only. */
  readonly priority?: 0 | 1;
}

/** Everything about a kind that is written once; types, CRD, OpenAPI, columns and docs derive from it. */
export interface ResourceDefinition<Spec = unknown, Status = unknown> {
  readonly group: string;
  readonly version: string;
  readonly kind: string;
  readonly plural: string;
  readonly singular: string;
  readonly shortNames: readonly string[];
  readonly categories: readonly string[];
  readonly scope: 'Cluster' | 'Namespaced';
  readonly description: string;
  readonly spec: z.ZodType<Spec>;
  readonly status: z.ZodType<Status>;
  /** Top-level fields beside metadata; Kubernetes's own kinds have some, Tapline's have none. */
  readonly columns: readonly PrinterColumn[];
  /** Fields beside metadata.name and metadata.namespace that field selectors may name. */
  readonly selectableFields: readonly string[];
}

/** `group/version`, or `v1` in the core group. */
export function apiVersionOf(definition: {
  readonly group: string;
  readonly version: string;
}): string {
  return definition.group === '' ? definition.version : `${definition.group}/${definition.version}`;
}

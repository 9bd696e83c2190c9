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

/** Where a kind keeps what its scale subresource shows: dotted paths below the object. */
export interface ScalePaths {
  readonly specReplicas: string;
  readonly statusReplicas: string;
  readonly selector?: string;
}

/** What every kind has, whatever its fields. */
export interface KindNames {
  readonly group: string;
  readonly version: string;
  readonly kind: string;
  readonly plural: string;
  readonly singular: string;
  readonly shortNames: readonly string[];
  readonly categories: readonly string[];
  readonly scope: 'Cluster' | 'Namespaced';
  readonly description: string;
  readonly columns: readonly PrinterColumn[];
  /** Fields beside metadata.name and metadata.namespace that field selectors may name. */
  readonly selectableFields: readonly string[];
}

/** Everything about a kind that is written once; types, CRD, OpenAPI, columns and docs derive from it. */
export interface ResourceDefinition<Spec = unknown, Status = unknown> extends KindNames {
  readonly spec: z.ZodType<Spec>;
  /** Written through the status subresource only. */
  readonly status: z.ZodType<Status>;
  readonly scale?: ScalePaths;
}

/** A kind of Kubernetes's own whose fields are not spec and status, or that has no subresource. */
export interface PlainDefinition<Body = unknown> extends KindNames {
  /** Every field beside apiVersion, kind and metadata. */
  readonly body: z.ZodType<Body>;
}

/** Any kind the API serves. */
export type KindDefinition = ResourceDefinition | PlainDefinition;

/** `group/version`, or `v1` in the core group. */
export function apiVersionOf(definition: {
  readonly group: string;
  readonly version: string;
}): string {
  return definition.group === '' ? definition.version : `${definition.group}/${definition.version}`;
}

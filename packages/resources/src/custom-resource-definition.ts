import { objectSchema } from './object-schema.ts';
import type { ResourceDefinition } from './resource-definition.ts';

/** The kind as Kubernetes's CustomResourceDefinition (apiextensions.k8s.io/v1), ready for YAML. */
export function customResourceDefinition(definition: ResourceDefinition): Record<string, unknown> {
  const { group, version, kind, plural, singular, shortNames, categories, scope } = definition;
  return {
    apiVersion: 'apiextensions.k8s.io/v1',
    kind: 'CustomResourceDefinition',
    metadata: { name: `${plural}.${group}` },
    spec: {
      group,
      names: {
        kind,
        listKind: `${kind}List`,
        plural,
        singular,
        ...(shortNames.length === 0 ? {} : { shortNames }),
        ...(categories.length === 0 ? {} : { categories }),
      },
      scope,
      versions: [
        {
          name: version,
          served: true,
          storage: true,
          schema: { openAPIV3Schema: objectSchema(definition, { metadata: 'opaque' }) },
          subresources: { status: {}, ...scaleOf(definition) },
          ...(definition.columns.length === 0
            ? {}
            : { additionalPrinterColumns: definition.columns }),
          ...(definition.selectableFields.length === 0
            ? {}
            : {
                selectableFields: definition.selectableFields.map((path) => ({
                  jsonPath: `.${path}`,
                })),
              }),
        },
      ],
    },
  };
}

function scaleOf({ scale }: ResourceDefinition): Record<string, unknown> {
  if (scale === undefined) return {};
  return {
    scale: {
      specReplicasPath: `.${scale.specReplicas}`,
      statusReplicasPath: `.${scale.statusReplicas}`,
      ...(scale.selector === undefined ? {} : { labelSelectorPath: `.${scale.selector}` }),
    },
  };
}

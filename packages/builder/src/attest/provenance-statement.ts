import { canonicalJson } from '@tapline/base';
import { formatPlatform } from '@tapline/oci';
import type { BuiltPlatform } from '../built-image.ts';

export const provenancePredicateType = 'https://slsa.dev/provenance/v1';

/**
 * How an image was made, as an in-toto statement with SLSA provenance 1: what was asked for, and the
 * digest of each bottle that went in. It has no time, so that equal images give equal bytes.
 */
export function provenanceStatement(
  image: BuiltPlatform,
  made: { readonly name: string; readonly compression: string; readonly version: string },
): Uint8Array {
  const { plan, manifest, platform } = image;
  const statement = {
    _type: 'https://in-toto.io/Statement/v1',
    subject: [{ name: made.name, digest: digestSet(manifest.digest) }],
    predicateType: provenancePredicateType,
    predicate: {
      buildDefinition: {
        buildType: 'https://tapline.dev/brew2oci/v1',
        externalParameters: {
          formula: plan.root.formula.name,
          version: plan.root.pkgVersion,
          platform: formatPlatform(platform),
          compression: made.compression,
        },
        internalParameters: {},
        resolvedDependencies: plan.bottles.map(({ formula, pkgVersion, url, digest }) => ({
          name: `${formula.name} ${pkgVersion}`,
          uri: url,
          digest: digestSet(digest),
        })),
      },
      runDetails: {
        builder: { id: 'https://tapline.dev/brew2oci', version: { tapline: made.version } },
      },
    },
  };
  return Buffer.from(canonicalJson(statement));
}

function digestSet(digest: string): Readonly<Record<string, string>> {
  const [algorithm = '', hex = ''] = digest.split(':');
  return { [algorithm]: hex };
}

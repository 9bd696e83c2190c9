import { layerTime } from '@tapline/brew';
import { canonicalJson } from '@tapline/base';
import type { BuiltPlatform } from '../built-image.ts';
import type { PlannedBottle } from '../package-plan.ts';

export const spdxMediaType = 'application/spdx+json';

/**
 * SPDX 2.3 of what is in an image: a package for each formula, with its bottle's digest, licence and
 * dependencies. Equal images give equal bytes, so it was created when the image's files were.
 */
export function spdxDocument(
  image: BuiltPlatform,
  { version }: { readonly version: string },
): Uint8Array {
  const { plan, manifest } = image;
  const names = new Set(plan.bottles.map(({ formula }) => formula.name));
  const document = {
    spdxVersion: 'SPDX-2.3',
    dataLicense: 'CC0-1.0',
    SPDXID: 'SPDXRef-DOCUMENT',
    name: `${plan.root.formula.name}-${plan.root.pkgVersion}-${image.platform.architecture}`,
    // Unique, and of the image alone; nothing is to be found there.
    documentNamespace: `https://tapline.dev/spdx/${manifest.digest.replace(':', '-')}`,
    creationInfo: {
      created: new Date(layerTime * 1000).toISOString().replace('.000Z', 'Z'),
      creators: [`Tool: tapline-brew2oci-${version}`],
    },
    packages: [imagePackage(image), ...plan.bottles.map(formulaPackage)],
    relationships: [
      relation('SPDXRef-DOCUMENT', 'DESCRIBES', 'SPDXRef-image'),
      ...plan.bottles.map(({ formula }) =>
        relation('SPDXRef-image', 'CONTAINS', idOf(formula.name)),
      ),
      ...plan.bottles.flatMap(({ formula }) =>
        formula.dependencies
          .filter((name) => names.has(name))
          .map((name) => relation(idOf(formula.name), 'DEPENDS_ON', idOf(name))),
      ),
    ],
  };
  return Buffer.from(canonicalJson(document));
}

function imagePackage({ manifest, plan }: BuiltPlatform): object {
  return {
    SPDXID: 'SPDXRef-image',
    name: plan.root.formula.name,
    versionInfo: plan.root.pkgVersion,
    primaryPackagePurpose: 'CONTAINER',
    downloadLocation: 'NOASSERTION',
    filesAnalyzed: false,
    licenseConcluded: 'NOASSERTION',
    licenseDeclared: 'NOASSERTION',
    copyrightText: 'NOASSERTION',
    checksums: [checksum(manifest.digest)],
  };
}

function formulaPackage({ formula, pkgVersion, digest, url }: PlannedBottle): object {
  const { name, license, homepage, description } = formula;
  return {
    SPDXID: idOf(name),
    name,
    versionInfo: pkgVersion,
    downloadLocation: url,
    filesAnalyzed: false,
    licenseConcluded: 'NOASSERTION',
    licenseDeclared: declaredLicense(license),
    copyrightText: 'NOASSERTION',
    ...(homepage !== undefined && { homepage }),
    ...(description !== undefined && { summary: description }),
    checksums: [checksum(digest)],
    externalRefs: [
      {
        referenceCategory: 'PACKAGE-MANAGER',
        referenceType: 'purl',
        referenceLocator: `pkg:brew/${encodeURIComponent(name)}@${encodeURIComponent(pkgVersion)}`,
      },
    ],
  };
}

/** Homebrew's licences are SPDX expressions but for these words of its own. */
function declaredLicense(license: string | undefined): string {
  if (license === undefined || /public_domain|cannot_represent/.test(license)) return 'NOASSERTION';
  return license;
}

function checksum(digest: string): object {
  const [algorithm = '', checksumValue = ''] = digest.split(':');
  return { algorithm: algorithm.toUpperCase(), checksumValue };
}

/** SPDX ids have letters, digits, `.` and `-` only; `+` and `@` are in formulae's names. */
function idOf(formula: string): string {
  const safe = formula
    .replaceAll('@', '-at-')
    .replaceAll('+', '-plus')
    .replaceAll(/[^A-Za-z0-9.-]/g, '-');
  return `SPDXRef-formula-${safe}`;
}

function relation(
  spdxElementId: string,
  relationshipType: string,
  relatedSpdxElement: string,
): object {
  return { spdxElementId, relationshipType, relatedSpdxElement };
}

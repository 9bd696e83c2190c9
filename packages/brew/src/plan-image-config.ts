import type { Annotations, Digest, ImageConfig } from '@tapline/oci';
import { type BottleTag, platformOfTag } from './bottle-tag.ts';
import { executablesOf } from './executables.ts';
import type { Formula } from './formula.ts';
import { imageLabels } from './image-labels.ts';
import { imageUser } from './image-user.ts';
import type { Keg } from './keg.ts';
import { mainCommand } from './main-command.ts';
import type { UnlinkedKeg } from './plan-links.ts';
import type { StepLeftOut } from './post-install/run-install-steps.ts';
import { prefix } from './prefix.ts';
import { layerTime } from './layer-time.ts';

export interface ImageConfigInput {
  readonly formula: Formula;
  /** The keg of the formula itself. */
  readonly keg: Keg;
  readonly bottleDigest: Digest;
  readonly tag: BottleTag;
  /** What Homebrew would have done after unpacking, and the image does without. */
  readonly leftOut?: readonly StepLeftOut[];
  /** Formulae that are not linked into the prefix. */
  readonly unlinked?: readonly UnlinkedKeg[];
  /** Base first. */
  readonly layers: readonly { readonly diffId: Digest; readonly createdBy: string }[];
}

export interface PlannedImage {
  readonly config: ImageConfig;
  /** The config's labels that are annotations of the manifest too. */
  readonly annotations: Annotations;
  /** Absolute path; undefined for a package without executables. */
  readonly mainCommand?: string;
  readonly executables: readonly string[];
}

/** The config of an image: runs the main command, as nobody in particular. */
export function planImageConfig(input: ImageConfigInput): PlannedImage {
  const { formula, keg, leftOut = [], unlinked = [] } = input;
  const home = keg.kegOnly ? `${prefix}/opt/${keg.name}` : prefix;
  const paths = executablesOf(keg);
  const main = mainCommand(keg.name, paths);
  const executables = paths.map((path) => `${home}/${path}`);
  const entrypoint = main === undefined ? undefined : `${home}/${main}`;
  const annotations = standardAnnotations(input);
  const created = new Date(layerTime * 1000).toISOString();
  const search = [
    ...(keg.kegOnly ? [`${home}/bin`, `${home}/sbin`] : []),
    `${prefix}/bin`,
    `${prefix}/sbin`,
  ];
  return {
    annotations,
    executables,
    ...(entrypoint !== undefined && { mainCommand: entrypoint }),
    config: {
      ...platformOfTag(input.tag),
      created,
      config: {
        User: `${imageUser.uid}:${imageUser.gid}`,
        WorkingDir: imageUser.home,
        Env: [`PATH=${search.join(':')}`, `HOME=${imageUser.home}`, 'LANG=C.UTF-8'],
        ...(entrypoint !== undefined && { Entrypoint: [entrypoint] }),
        Labels: {
          ...annotations,
          [imageLabels.formula]: formula.name,
          [imageLabels.executables]: JSON.stringify(executables),
          ...(entrypoint !== undefined && { [imageLabels.mainCommand]: entrypoint }),
          ...(formula.service && { [imageLabels.service]: JSON.stringify(formula.service) }),
          ...(leftOut.length > 0 && { [imageLabels.postInstall]: JSON.stringify(leftOut) }),
          ...(unlinked.length > 0 && { [imageLabels.unlinked]: JSON.stringify(unlinked) }),
        },
      },
      rootfs: { type: 'layers', diff_ids: input.layers.map((layer) => layer.diffId) },
      history: input.layers.map((layer) => ({ created, created_by: layer.createdBy })),
    },
  };
}

function standardAnnotations({ formula, keg, bottleDigest }: ImageConfigInput): Annotations {
  return {
    'org.opencontainers.image.title': formula.name,
    'org.opencontainers.image.version': keg.pkgVersion,
    'org.opencontainers.image.vendor': formula.tap,
    ...(formula.description && { 'org.opencontainers.image.description': formula.description }),
    ...(formula.homepage && { 'org.opencontainers.image.url': formula.homepage }),
    ...(formula.license && {
      'org.opencontainers.image.licenses': formula.license,
      'sh.brew.license': formula.license,
    }),
    'sh.brew.bottle.digest': bottleDigest.slice('sha256:'.length),
  };
}

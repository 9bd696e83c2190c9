import {
  imageUser,
  type Keg,
  layerTime,
  type LinkStep,
  prefix,
  type StepLeftOut,
  type UnlinkedKeg,
} from '@tapline/brew';
import { encodeTar, type TarEntry, type TarMember, whiteoutPrefix } from '@tapline/oci';
import { type FinishOptions, finishPrefix } from './finish-prefix.ts';
import type { LayerFacts, LayerRecord } from './layer-record.ts';
import type { LayerSink } from './layer-sink.ts';
import { type KegFile, readKegFiles } from './read-keg-files.ts';

export interface PouredKeg extends Keg {
  readonly layer: LayerRecord;
}

export interface LinkLayer {
  readonly layer: LayerFacts;
  /** Dependencies that are found below `opt` alone. */
  readonly unlinked: readonly UnlinkedKeg[];
  /** What Homebrew would have done after unpacking, and this image does without. */
  readonly leftOut: readonly StepLeftOut[];
}

/**
 * The one layer of an image that depends on all of its formulae: links into the prefix, the
 * configuration bottles bring, what formulae want done once they are unpacked, and what a root file
 * system needs besides. Throws `link_conflict`.
 */
export async function buildLinkLayer(
  sink: LayerSink,
  kegs: readonly PouredKeg[],
  options: FinishOptions,
): Promise<LinkLayer> {
  const { steps, unlinked, leftOut } = await finishPrefix(sink, kegs, options);
  const wanted = steps.flatMap((step) =>
    step.kind === 'copy' ? [{ formula: step.formula, path: step.source }] : [],
  );
  const copied = await readKegFiles(sink, kegs, wanted, options);
  const members = [...baseMembers(), ...steps.map((step) => linkMember(step, copied))].toSorted(
    (a, b) => (a.entry.path < b.entry.path ? -1 : 1),
  );
  const blob = await sink.write(asyncOf(encodeTar(members)), options);
  const unpackedSize = members.reduce((total, { entry }) => total + entry.size, 0);
  return { layer: { ...blob, unpackedSize, fileCount: members.length }, unlinked, leftOut };
}

/** An empty root file system has no users and nowhere to write. */
function baseMembers(): readonly TarMember[] {
  const { uid, gid, name, home } = imageUser;
  const passwd = `root:x:0:0:root:/root:/sbin/nologin\n${name}:x:${uid}:${gid}:${name}:${home}:/sbin/nologin\n`;
  const parents = prefix.slice(1).split('/');
  return [
    ...parents.map((_, depth) => directory(parents.slice(0, depth + 1).join('/'))),
    directory('etc'),
    file('etc/passwd', Buffer.from(passwd)),
    file('etc/group', Buffer.from(`root:x:0:\n${name}:x:${gid}:\n`)),
    { entry: { ...directory(home.slice(1)).entry, uid, gid } },
    { entry: { ...directory('tmp').entry, mode: 0o1777 } },
  ];
}

function linkMember(step: LinkStep, copied: ReadonlyMap<string, KegFile>): TarMember {
  const path = `${prefix.slice(1)}/${step.path}`;
  const owner = ownerOf(step.path);
  switch (step.kind) {
    case 'directory':
      return { entry: { ...entryOf('directory', path, step.mode ?? 0o755), ...owner } };
    case 'symlink':
      return { entry: { ...entryOf('symlink', path, 0o777), linkTarget: step.target } };
    case 'file':
      return ownedFile(path, step.bytes, { ...owner, mode: step.mode });
    case 'copy': {
      const source = copied.get(`${step.formula}/${step.source}`);
      if (source === undefined) {
        throw new RangeError(`the layer of ${step.formula} lacks ${step.source}`);
      }
      return ownedFile(path, source.data, { ...owner, mode: step.mode ?? source.mode });
    }
    case 'remove': {
      // OCI image spec 1.1, layer.md "Whiteouts".
      const slash = path.lastIndexOf('/') + 1;
      return file(`${path.slice(0, slash)}${whiteoutPrefix}${path.slice(slash)}`, new Uint8Array());
    }
  }
}

function ownedFile(
  path: string,
  data: Uint8Array,
  owned: { readonly uid: number; readonly gid: number; readonly mode: number },
): TarMember {
  return { entry: { ...entryOf('file', path, owned.mode), ...owned, size: data.length }, data };
}

/** Programs write below var, and to nothing else of the prefix. */
function ownerOf(path: string): { readonly uid: number; readonly gid: number } {
  const isVar = path === 'var' || (path.startsWith('var/') && !path.startsWith('var/homebrew'));
  return isVar ? { uid: imageUser.uid, gid: imageUser.gid } : { uid: 0, gid: 0 };
}

function directory(path: string): TarMember {
  return { entry: entryOf('directory', path, 0o755) };
}

function file(path: string, data: Uint8Array): TarMember {
  return { entry: { ...entryOf('file', path, 0o644), size: data.length }, data };
}

function entryOf(kind: TarEntry['kind'], path: string, mode: number): TarEntry {
  return { kind, path, mode, uid: 0, gid: 0, size: 0, mtimeSeconds: layerTime };
}

async function* asyncOf(chunks: Iterable<Uint8Array>): AsyncGenerator<Uint8Array, void> {
  yield* chunks;
}

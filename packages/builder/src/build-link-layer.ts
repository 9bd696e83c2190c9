import { type Keg, imageUser, layerTime, type LinkStep, planLinks, prefix } from '@tapline/brew';
import { encodeTar, type TarEntry, type TarMember } from '@tapline/oci';
import type { LayerFacts, LayerRecord } from './layer-record.ts';
import type { LayerSink } from './layer-sink.ts';

export interface PouredKeg extends Keg {
  readonly layer: LayerRecord;
}

/**
 * The one layer of an image that depends on all of its formulae: links into the prefix, the
 * configuration bottles bring, and what a root file system needs besides. Throws `link_conflict`.
 */
export async function buildLinkLayer(
  sink: LayerSink,
  kegs: readonly PouredKeg[],
  options: { readonly signal?: AbortSignal | undefined },
): Promise<LayerFacts> {
  const steps = planLinks(kegs);
  const copied = await readCopies(sink, kegs, steps, options);
  const members = [...baseMembers(), ...steps.map((step) => linkMember(step, copied))].toSorted(
    (a, b) => (a.entry.path < b.entry.path ? -1 : 1),
  );
  const blob = await sink.write(asyncOf(encodeTar(members)), options);
  return {
    ...blob,
    unpackedSize: members.reduce((total, { entry }) => total + entry.size, 0),
    fileCount: members.length,
  };
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

function linkMember(step: LinkStep, copied: ReadonlyMap<string, CopiedFile>): TarMember {
  const path = `${prefix.slice(1)}/${step.path}`;
  const owner = ownerOf(step.path);
  switch (step.kind) {
    case 'directory':
      return { entry: { ...directory(path).entry, ...owner } };
    case 'symlink':
      return { entry: { ...entryOf('symlink', path, 0o777), linkTarget: step.target } };
    case 'copy': {
      const source = copied.get(copyKey(step.formula, step.source));
      if (source === undefined) {
        throw new RangeError(`the layer of ${step.formula} lacks ${step.source}`);
      }
      const member = file(path, source.data);
      return { ...member, entry: { ...member.entry, ...owner, mode: source.mode } };
    }
  }
}

/** Programs write below var, and to nothing else of the prefix. */
function ownerOf(path: string): { readonly uid: number; readonly gid: number } {
  const isVar = path === 'var' || (path.startsWith('var/') && !path.startsWith('var/homebrew'));
  return isVar ? { uid: imageUser.uid, gid: imageUser.gid } : { uid: 0, gid: 0 };
}

interface CopiedFile {
  readonly mode: number;
  readonly data: Uint8Array;
}

/** What bottles bring for etc and var, out of their layers, where it is relocated. */
async function readCopies(
  sink: LayerSink,
  kegs: readonly PouredKeg[],
  steps: readonly LinkStep[],
  { signal }: { readonly signal?: AbortSignal | undefined },
): Promise<ReadonlyMap<string, CopiedFile>> {
  const copied = new Map<string, CopiedFile>();
  for (const keg of kegs) {
    const missing = new Set(
      steps.flatMap((step) =>
        step.kind === 'copy' && step.formula === keg.name ? [step.source] : [],
      ),
    );
    if (missing.size === 0) continue;
    const root = `${prefix.slice(1)}/Cellar/${keg.name}/${keg.pkgVersion}/`;
    let parts: Uint8Array[] | undefined;
    let last: TarEntry | undefined;
    for await (const event of sink.read(keg.layer, { formula: keg.name, signal })) {
      if (event.kind === 'entry') {
        last = event.entry;
        parts = last.path.startsWith(`${root}.bottle/`) ? [] : undefined;
      } else if (event.kind === 'data') {
        parts?.push(event.bytes);
      } else if (event.kind === 'entry-end' && parts !== undefined && last !== undefined) {
        const source = last.path.slice(root.length);
        const linked = copied.get(copyKey(keg.name, (last.linkTarget ?? '').slice(root.length)));
        copied.set(
          copyKey(keg.name, source),
          linked ?? { mode: last.mode, data: Buffer.concat(parts) },
        );
        missing.delete(source);
        // They are at the start of a large layer.
        if (missing.size === 0) break;
      }
    }
  }
  return copied;
}

function copyKey(formula: string, source: string): string {
  return `${formula}/${source}`;
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

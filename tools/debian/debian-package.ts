import type { ControlParagraph } from './control-file.ts';

/** One binary package as its Packages index describes it. */
export interface DebianPackage {
  readonly name: string;
  /** Name of the source package it was built from. */
  readonly source: string;
  readonly version: string;
  readonly architecture: string;
  readonly section: string;
  /** Depends and Pre-Depends: each a list of alternative package names, versions left out. */
  readonly depends: readonly (readonly string[])[];
  readonly description: string;
  readonly homepage: string | undefined;
  /** Of the .deb file, in lower-case hex. */
  readonly sha256: string;
  readonly sizeBytes: number;
  /** Path of the .deb file below the mirror. */
  readonly poolPath: string;
}

/** Reads a paragraph of a Packages index; undefined where it lacks what identifies a package. */
export function toDebianPackage(fields: ControlParagraph): DebianPackage | undefined {
  const name = fields.get('package');
  const version = fields.get('version');
  const sha256 = fields.get('sha256');
  if (name === undefined || version === undefined || sha256 === undefined) return undefined;
  const depends = [fields.get('pre-depends'), fields.get('depends')]
    .flatMap((value) => (value ?? '').split(','))
    .map((clause) => clause.split('|').map((part) => part.trim().replace(/[\s(:[].*/s, '')))
    .map((names) => names.filter((part) => part !== ''))
    .filter((names) => names.length > 0);
  return {
    name,
    // "Source: jq (1.6-2)" when the source's version differs from the binary's.
    source: (fields.get('source') ?? name).replace(/\s*\(.*/, ''),
    version,
    architecture: fields.get('architecture') ?? '',
    section: fields.get('section') ?? '',
    depends,
    description: (fields.get('description') ?? '').split('\n')[0] ?? '',
    homepage: fields.get('homepage'),
    sha256,
    sizeBytes: Number(fields.get('size') ?? 0),
    poolPath: fields.get('filename') ?? '',
  };
}

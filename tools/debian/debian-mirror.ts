import { existsSync } from 'node:fs';
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';

import { TaplineError } from '@tapline/base';
import { parseControlFile } from './control-file.ts';

/** Where Debian's packages come from and which keys sign their index. */
export interface DebianMirror {
  readonly uri: string;
  readonly signedBy: string;
}

const defaultKeyring = '/usr/share/keyrings/debian-archive-keyring.gpg';
const debianSuites = new Set(['bookworm', 'trixie', 'forky', 'sid', 'stable', 'testing']);

interface Source {
  readonly uris: readonly string[];
  readonly suites: readonly string[];
  readonly components: readonly string[];
  readonly signedBy: string | undefined;
}

/**
 * The mirror this machine is configured to use, so that closed networks work. Point releases,
 * updates and security archives have other suites and are passed over. Throws `apt_unreachable`
 * where none is configured.
 */
export async function findDebianMirror(aptFolder = '/etc/apt'): Promise<DebianMirror> {
  for (const source of await readSources(aptFolder)) {
    const uri = source.uris[0];
    const isDebian = source.suites.some((suite) => debianSuites.has(suite));
    if (uri !== undefined && isDebian && source.components.includes('main')) {
      return { uri, signedBy: source.signedBy ?? defaultKeyring };
    }
  }
  throw new TaplineError('apt_unreachable', `${aptFolder} names no archive of Debian`, {
    hint: 'add one to its sources, with component main and a suite such as bookworm',
  });
}

async function readSources(aptFolder: string): Promise<readonly Source[]> {
  const parts = join(aptFolder, 'sources.list.d');
  const names = existsSync(parts) ? (await readdir(parts)).toSorted() : [];
  const files = [join(aptFolder, 'sources.list'), ...names.map((name) => join(parts, name))];
  const sources: Source[] = [];
  for (const file of files.filter((name) => existsSync(name))) {
    const text = await readFile(file, 'utf8');
    if (file.endsWith('.sources')) sources.push(...parseDeb822Sources(text));
    if (file.endsWith('.list')) sources.push(...parseOneLineSources(text));
  }
  return sources;
}

function words(text: string | undefined): readonly string[] {
  return (text ?? '').split(/\s+/).filter((word) => word !== '');
}

function parseDeb822Sources(text: string): readonly Source[] {
  return parseControlFile(text)
    .filter((fields) => words(fields.get('types')).includes('deb'))
    .filter((fields) => fields.get('enabled')?.toLowerCase() !== 'no')
    .map((fields) => ({
      uris: words(fields.get('uris')),
      suites: words(fields.get('suites')),
      components: words(fields.get('components')),
      // An embedded key block (deb822) has spaces; only file names are taken over.
      signedBy: words(fields.get('signed-by')).find((word) => word.startsWith('/')),
    }));
}

function parseOneLineSources(text: string): readonly Source[] {
  return text.split('\n').flatMap((line) => {
    const match = /^\s*deb\s+(?:\[([^\]]*)\]\s+)?(\S+)\s+(\S+)\s+([^#]*)/.exec(line);
    if (match === null) return [];
    const [, options = '', uri = '', suite = '', components = ''] = match;
    const signedBy = /signed-by=(\/\S+)/.exec(options)?.[1];
    return [{ uris: [uri], suites: [suite], components: words(components), signedBy }];
  });
}

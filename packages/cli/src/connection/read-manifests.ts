import { collectBytes, isRecord, TaplineError } from '@tapline/base';
import type { ApiObject } from '@tapline/resources';
import { readdir, readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import type { Readable } from 'node:stream';

const maxBytes = 16 * 1024 * 1024;

/** The objects in files, folders and standard input (`-`), as YAML documents or JSON, in order. */
export async function readManifests(
  sources: readonly string[],
  stdin: Readable,
): Promise<readonly ApiObject[]> {
  const { parseAllDocuments } = await import('yaml');
  const texts = (await Promise.all(sources.map((source) => readSource(source, stdin)))).flat();
  return texts.flatMap(({ name, text }) =>
    parseAllDocuments(text).flatMap((document, at) => {
      const where = `${name}, document ${at + 1}`;
      const [problem] = document.errors;
      if (problem !== undefined) {
        throw new TaplineError('invalid_manifest', `${where} is not YAML: ${problem.message}`);
      }
      const value: unknown = document.toJS();
      return value === null ? [] : objectsOf(value, where);
    }),
  );
}

function objectsOf(value: unknown, where: string): readonly ApiObject[] {
  if (isRecord(value) && value['kind'] === 'List' && Array.isArray(value['items'])) {
    return value['items'].flatMap((item) => objectsOf(item, where));
  }
  const metadata = isRecord(value) ? value['metadata'] : undefined;
  if (isRecord(value) && isRecord(metadata) && typeof metadata['name'] === 'string') {
    return [value as unknown as ApiObject];
  }
  throw new TaplineError('invalid_manifest', `${where} is no object with metadata.name`, {
    hint: 'each document needs apiVersion, kind, metadata.name and spec',
  });
}

async function readSource(
  source: string,
  stdin: Readable,
): Promise<readonly { readonly name: string; readonly text: string }[]> {
  if (source === '-') return [{ name: 'standard input', text: await readAll(stdin) }];
  const entry = await stat(source).catch((cause: unknown) => {
    throw new TaplineError('invalid_manifest', `${source} cannot be read`, { cause });
  });
  if (entry.isDirectory()) {
    const names = (await readdir(source)).filter((name) => /\.(ya?ml|json)$/.test(name)).toSorted();
    return (await Promise.all(names.map((name) => readSource(join(source, name), stdin)))).flat();
  }
  if (entry.size > maxBytes) {
    throw new TaplineError(
      'invalid_manifest',
      `${source} has ${entry.size} bytes, more than ${maxBytes}`,
    );
  }
  return [{ name: source, text: await readFile(source, 'utf8') }];
}

async function readAll(stream: Readable): Promise<string> {
  const bytes = await collectBytes(stream, {
    maxBytes,
    tooLarge: () =>
      new TaplineError('invalid_manifest', `standard input has more than ${maxBytes} bytes`),
  });
  return new TextDecoder().decode(bytes);
}

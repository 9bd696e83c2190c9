import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { extname, join } from 'node:path';
import { promisify } from 'node:util';
import { gzip } from 'node:zlib';

/** A file of the page as it is sent. */
export interface DevicePageFile {
  readonly type: string;
  readonly etag: string;
  readonly body: Buffer;
  /** Of half a megabyte of scripts a fifth is left. */
  readonly compressed: Buffer;
}

/** What the page is made of, by the names below its address; `tools/build-page.ts` makes them. */
const names: Readonly<Record<string, string>> = {
  '': 'index.html',
  'device.js': 'device.js',
  'device.css': 'device.css',
  'xterm.css': 'xterm.css',
  'container-worker.js': 'container-worker.js',
};
const types: Readonly<Record<string, string>> = {
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.css': 'text/css; charset=utf-8',
};

/** Reads a file of the page once; undefined where it has none of that name. */
export function createDevicePageFiles(
  folder: string,
): (name: string) => Promise<DevicePageFile | undefined> {
  const known = new Map<string, Promise<DevicePageFile>>();
  return async (name) => {
    const file = Object.hasOwn(names, name) ? names[name] : undefined;
    if (file === undefined) return undefined;
    const reading = known.get(file) ?? read(join(folder, file));
    known.set(file, reading);
    try {
      return await reading;
    } catch (error) {
      known.delete(file);
      throw error;
    }
  };
}

async function read(path: string): Promise<DevicePageFile> {
  const body = await readFile(path);
  const etag = `"${createHash('sha256').update(body).digest('base64url')}"`;
  const compressed = await promisify(gzip)(body, { level: 9 });
  return { type: types[extname(path)] ?? 'application/octet-stream', etag, body, compressed };
}

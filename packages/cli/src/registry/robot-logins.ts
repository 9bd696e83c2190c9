import { open, readFile, rename, rm } from 'node:fs/promises';
import { dirname } from 'node:path';
import { isRecord, isSystemError, TaplineError } from '@tapline/base';
import type { RobotLogin } from '@tapline/registry';

/** The logins of a Harbor's robot accounts, in a file of mode 0600; Harbor tells each secret once. */
export interface RobotLogins {
  has(robot: string): boolean;
  /** On the disk when it returns. */
  put(login: RobotLogin): Promise<void>;
}

interface Login {
  readonly username: string;
  readonly secret: string;
}

/** Throws `configuration_invalid` where the file is of something else. */
export async function openRobotLogins(
  path: string,
  of: { readonly server: string; readonly project: string },
): Promise<RobotLogins> {
  const robots = new Map(Object.entries(await readLogins(path, of)));
  return {
    has: (robot) => robots.has(robot),
    async put({ robot, username, secret }) {
      robots.set(robot.name, { username, secret });
      const document = { ...of, robots: Object.fromEntries(robots) };
      await replaceFile(path, `${JSON.stringify(document, null, 2)}\n`);
    },
  };
}

async function readLogins(
  path: string,
  of: { readonly server: string; readonly project: string },
): Promise<Readonly<Record<string, Login>>> {
  let text: string;
  try {
    text = await readFile(path, 'utf8');
  } catch (cause) {
    if (isSystemError(cause, 'ENOENT')) return {};
    throw new TaplineError('configuration_invalid', `${path} cannot be read`, { cause });
  }
  const document = parseJson(text);
  if (!isRecord(document) || !isRecord(document['robots'])) {
    throw new TaplineError('configuration_invalid', `${path} is no file of robot logins`, {
      hint: 'name another file; it is made where there is none',
    });
  }
  if (document['server'] !== of.server || document['project'] !== of.project) {
    throw new TaplineError(
      'configuration_invalid',
      `${path} has the logins of another project than ${of.project} at ${of.server}`,
      { hint: 'have a file for each project' },
    );
  }
  return document['robots'] as Readonly<Record<string, Login>>;
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** Whole or not at all, and readable by nobody else from its first byte on. */
async function replaceFile(path: string, text: string): Promise<void> {
  const next = `${path}.next`;
  await rm(next, { force: true });
  {
    await using file = await open(next, 'wx', 0o600);
    await file.writeFile(text);
    await file.sync();
  }
  await rename(next, path);
  await using folder = await open(dirname(path), 'r');
  await folder.sync();
}

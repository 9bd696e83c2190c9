import { readFile, writeFile } from 'node:fs/promises';
import { parse, stringify } from 'yaml';

/** The administrator's kubeconfig with somebody else's token in it. */
export async function tokenKubeconfig(
  admin: string,
  to: { readonly path: string; readonly token: string },
): Promise<string> {
  const config = parse(await readFile(admin, 'utf8')) as { users: { name: string }[] };
  const users = config.users.map(({ name }) => ({ name, user: { token: to.token } }));
  await writeFile(to.path, stringify({ ...config, users }), { mode: 0o600 });
  return to.path;
}

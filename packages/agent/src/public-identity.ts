import { randomBytes } from 'node:crypto';
import { readFile, rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { isRecord } from '@tapline/base';
import type { StoredIdentity } from './stored-identity.ts';

/** What is not secret of a device's identity. */
export interface PublicIdentity {
  /** Origin of its control plane. */
  readonly server: string;
  readonly device: string;
  readonly caPem: string;
  /** Milliseconds since the Unix epoch, by the control plane's clock. */
  readonly issuedAt: number;
  readonly notAfter: number;
}

const fileName = 'identity.json';

/**
 * Leaves it beside the agent's database, which only the agent can read while it runs: whoever looks
 * for faults on the machine needs it then.
 */
export async function writePublicIdentity(
  directory: string,
  { server, identity }: StoredIdentity,
): Promise<void> {
  const { device, caPem, issuedAt, notAfter } = identity;
  const shown: PublicIdentity = {
    server: new URL(server).origin,
    device,
    caPem,
    issuedAt,
    notAfter,
  };
  const draft = join(directory, `${fileName}.${randomBytes(6).toString('hex')}`);
  await writeFile(draft, `${JSON.stringify(shown, undefined, 2)}\n`, { mode: 0o644 });
  await rename(draft, join(directory, fileName));
}

/** Undefined where no device has joined from this folder, or its file is not one of ours. */
export async function readPublicIdentity(directory: string): Promise<PublicIdentity | undefined> {
  let value: unknown;
  try {
    value = JSON.parse(await readFile(join(directory, fileName), 'utf8'));
  } catch {
    return undefined;
  }
  if (!isRecord(value)) return undefined;
  const { server, device, caPem, issuedAt, notAfter } = value;
  const texts = [server, device, caPem].every((one) => typeof one === 'string');
  const times = [issuedAt, notAfter].every((one) => typeof one === 'number');
  return texts && times && URL.canParse(String(server))
    ? (value as unknown as PublicIdentity)
    : undefined;
}

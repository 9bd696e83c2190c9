import { TaplineError } from '@tapline/base';
import type { IcingaEndpoint } from '@tapline/monitoring';
import { readFileOf } from './read-file-of.ts';

export interface LoginFlags {
  readonly username: string | undefined;
  readonly passwordFile: string | undefined;
  readonly certificateFile: string | undefined;
  readonly keyFile: string | undefined;
}

/** One of the two ways to log in at Icinga; throws `usage` where flags are of both or of neither. */
export async function readLogin(flags: LoginFlags): Promise<IcingaEndpoint['login']> {
  const { username, passwordFile, certificateFile, keyFile } = flags;
  const asUser = username !== undefined || passwordFile !== undefined;
  const byCertificate = certificateFile !== undefined || keyFile !== undefined;
  if (!asUser && certificateFile !== undefined && keyFile !== undefined) {
    return {
      kind: 'certificate',
      certificatePem: await readFileOf(certificateFile),
      keyPem: await readFileOf(keyFile),
    };
  }
  if (!byCertificate && username !== undefined && passwordFile !== undefined) {
    const password = (await readFileOf(passwordFile)).trimEnd();
    return { kind: 'password', username, password };
  }
  throw new TaplineError('usage', 'it is not said how to log in at Icinga', {
    hint: 'give --username and --password-file, or --certificate-file and --key-file',
  });
}

import { TaplineError } from '@tapline/base';
import { parsePlatform, selectPlatform } from '@tapline/oci';
import { readFile } from 'node:fs/promises';
import { openRegistry } from '../build/open-registry.ts';
import { connectionFlags } from '../connection/connection-flags.ts';
import { defineCommand, type Command } from '../framework/command.ts';
import { exitCode } from '../framework/exit-code.ts';
import { textFlag, textFlagWithDefault } from '../framework/flag.ts';

export const imageCat: Command = defineCommand({
  summary: 'Print one file of an image, fetching no more of it than that takes',
  examples: [
    {
      command:
        'tapline image cat git:2.51.0 /home/linuxbrew/.linuxbrew/bin/git --key ./image-key.pub > git',
      explains: 'links are followed, the digest is checked',
    },
  ],
  positionals: [
    { name: 'IMAGE', description: 'REPOSITORY:TAG or REPOSITORY@DIGEST', required: true },
    { name: 'PATH', description: 'an absolute path within the image', required: true },
  ],
  flags: {
    platform: textFlagWithDefault('Of which platform', {
      valueName: 'OS/ARCH',
      default: process.arch === 'arm64' ? 'linux/arm64' : 'linux/amd64',
    }),
    key: textFlag('A public key in PEM that must have signed the file index', {
      valueName: 'FILE',
    }),
    ...connectionFlags,
  },
  async run({ console, positionals: [text = '', path = ''], flags }) {
    const { readImageFile } = await import('@tapline/registry');
    const { fetchSignatures, parseTrustedKeys, verifyImage } = await import('@tapline/signatures');
    const keys =
      flags.key === undefined ? undefined : parseTrustedKeys([await readFile(flags.key, 'utf8')]);
    const image = await openRegistry(text, { console, flags });
    await using client = image.client;
    const { repository } = image;
    const options = { signal: console.signal };
    const found = await client.manifest(repository, image.reference, options);
    const digest =
      found.manifest.kind === 'index'
        ? selectPlatform(found.manifest.index, parsePlatform(flags.platform))?.digest
        : found.digest;
    if (digest === undefined) {
      throw new TaplineError('platform_unsupported', `${text} has no image for ${flags.platform}`);
    }
    const file = await readImageFile(
      client,
      { repository, digest, path },
      {
        ...options,
        ...(keys !== undefined && {
          verify: async (index) => {
            const signed = { repository, digest: index };
            verifyImage(index, await fetchSignatures(client, signed, options), keys);
          },
        }),
      },
    );
    console.write(file.bytes);
    return exitCode.ok;
  },
});

import { readFile } from 'node:fs/promises';
import { manifestsOf, openRegistry } from '../build/open-registry.ts';
import { connectionFlags } from '../connection/connection-flags.ts';
import { defineCommand, type Command } from '../framework/command.ts';
import { exitCode } from '../framework/exit-code.ts';
import { requiredTextFlag } from '../framework/flag.ts';

export const imageVerify: Command = defineCommand({
  summary: 'Check who signed an image, as a device does before it starts one',
  examples: [
    {
      command: 'tapline image verify jq:1.7.1 --key ./image-key.pub',
      explains: 'or fail, and say why',
    },
  ],
  positionals: [
    { name: 'IMAGE', description: 'REPOSITORY:TAG or REPOSITORY@DIGEST', required: true },
  ],
  flags: {
    key: requiredTextFlag('The public key in PEM', { valueName: 'FILE' }),
    ...connectionFlags,
  },
  async run({ console, positionals: [text = ''], flags }) {
    const { fetchSignatures, parseTrustedKeys, verifyImage } = await import('@tapline/signatures');
    const keys = parseTrustedKeys([await readFile(flags.key, 'utf8')]);
    const image = await openRegistry(text, { console, flags });
    await using client = image.client;
    const { repository } = image;
    for (const { digest } of await manifestsOf(image)) {
      const options = { signal: console.signal };
      verifyImage(digest, await fetchSignatures(client, { repository, digest }, options), keys);
      console.write(`verified ${image.name}@${digest}\n`);
    }
    return exitCode.ok;
  },
});

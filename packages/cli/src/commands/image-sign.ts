import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { manifestsOf, openRegistry } from '../build/open-registry.ts';
import { connectionFlags } from '../connection/connection-flags.ts';
import { defineCommand, type Command } from '../framework/command.ts';
import { exitCode } from '../framework/exit-code.ts';
import { requiredTextFlag } from '../framework/flag.ts';

export const imageSign: Command = defineCommand({
  summary: 'Sign an image that somebody pushed, so that devices start it',
  description:
    'Signs the image of each platform and the index above them, as `cosign sign --key` does. Devices start what a key in image-keys/trusted of the control plane has signed; image-keys/key.pem there is one of them.',
  examples: [
    {
      command:
        'tapline image sign tools/report:1.0 --key /var/lib/tapline/control-plane/image-keys/key.pem',
      explains: "with the control plane's own key, on its machine",
    },
    {
      command: 'tapline image sign oci://registry.example:5000/tools/report:1.0 --key ./key.pem',
      explains: 'in another registry',
    },
  ],
  positionals: [
    { name: 'IMAGE', description: 'REPOSITORY:TAG or REPOSITORY@DIGEST', required: true },
  ],
  flags: {
    key: requiredTextFlag('A private key of P-256 in PEM', { valueName: 'FILE' }),
    ...connectionFlags,
  },
  async run({ console, positionals: [text = ''], flags }) {
    const { createImageSigner, signImage } = await import('@tapline/signatures');
    const { FileBlobStore, pushImage } = await import('@tapline/registry');
    const signer = createImageSigner(await readFile(flags.key, 'utf8'), { name: flags.key });
    const image = await openRegistry(text, { console, flags });
    await using client = image.client;
    const directory = await mkdtemp(join(tmpdir(), 'tapline-sign-'));
    try {
      const store = await FileBlobStore.open(directory);
      const { repository } = image;
      for (const subject of await manifestsOf(image)) {
        const signed = await signImage(store, { subject, reference: image.name }, { signer });
        await pushImage(client, store, {
          repository,
          digest: signed.manifest.digest,
          ...(signed.tag !== undefined && { tag: signed.tag }),
          signal: console.signal,
        });
        console.write(`signed ${image.name}@${subject.digest}\n`);
      }
    } finally {
      await rm(directory, { recursive: true, force: true });
    }
    return exitCode.ok;
  },
});

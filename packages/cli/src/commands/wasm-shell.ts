import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import type { ShellSettings } from '@tapline/guest-page';
import { connectionFlags } from '../connection/connection-flags.ts';
import { parseListenAddress } from '../connection/listen-address.ts';
import { defineCommand, type Command } from '../framework/command.ts';
import { exitCode } from '../framework/exit-code.ts';
import { integerFlag, textFlag, textFlagWithDefault } from '../framework/flag.ts';
import type { ShellContent } from '../wasm/shell-content.ts';

const megabyte = 1024 * 1024;

export const wasmShell: Command = defineCommand({
  summary: 'Serve a page with a terminal in which an arm64 Linux program runs',
  description:
    'The browser runs the program, translated to WebAssembly in a worker; this command only serves the page and the image. It listens on this machine alone unless told otherwise, and answers only who knows the token in the address that it prints. What the program writes is gone when the page is. Translated code is kept in the browser, for pages of the same address and key.',
  examples: [
    {
      command: 'tapline wasm-shell debian:arm64 -- bash',
      explains: 'a shell of an image of the control plane’s registry; open the address it prints',
    },
    {
      command: 'tapline wasm-shell ./debian-arm64 -- bash -l',
      explains: 'a folder, of which the page fetches what is looked at',
    },
    {
      command: 'tapline wasm-shell jq:1.8.1 --listen 0.0.0.0:8080 -- jq -n 6*7',
      explains: 'for another device in the same network',
    },
  ],
  positionals: [
    {
      name: 'IMAGE|DIR',
      description:
        'REPOSITORY:TAG, oci://REGISTRY/REPOSITORY:TAG, or a folder: an OCI image layout, or a root',
      required: true,
    },
  ],
  flags: {
    listen: textFlagWithDefault('Where it listens; port 0 takes a free one', {
      valueName: 'HOST:PORT',
      default: '127.0.0.1:0',
    }),
    memory: integerFlag('MiB that all its processes may use together', {
      valueName: 'MIB',
      default: 512,
      min: 16,
      max: 3968,
    }),
    codeCache: textFlag(
      'Where `run-wasm` has kept translated code, for pages to start with, and the key that they keep theirs with',
      { valueName: 'DIR', environment: 'TAPLINE_CODE_CACHE' },
    ),
    workdir: textFlagWithDefault('Where it starts', { valueName: 'DIR', default: '' }),
    ...connectionFlags,
  },
  passesThrough: 'COMMAND ARGUMENT...',
  async run({ console, positionals: [text = ''], flags, passedThrough }) {
    const { pageFolder } = await import('../wasm/page-folder.ts');
    const { startShellServer } = await import('../wasm/shell-server.ts');
    const { pageCodeKey } = await import('../wasm/page-code-key.ts');
    const { withKeptCode } = await import('../wasm/with-kept-code.ts');
    const page = pageFolder();
    const { codeCache } = flags;
    await using opened = new AsyncDisposableStack();
    let content: ShellContent;
    let source: ShellSettings['source'];
    const { kindOfGuest, openImageSource } = await import('../wasm/open-image-source.ts');
    if (kindOfGuest(text) === 'folder') {
      const { directoryLayer } = await import('@tapline/runtimes');
      const { folderContent } = await import('../wasm/folder-content.ts');
      content = opened.use(folderContent(directoryLayer(text)));
      source = { kind: 'folder', url: 'folder/' };
    } else {
      const { imageContent } = await import('../wasm/image-content.ts');
      const image = await openImageSource(text, { console, flags });
      content = opened.use(imageContent(image, console.signal));
      // Said here and not in the page, where there is none of that name.
      await image.endpoint.manifest(image.repository, image.reference, { signal: console.signal });
      const { repository, reference } = image;
      source = { kind: 'image', registry: '', repository, reference };
    }
    const { url } = opened.use(
      await startShellServer({
        listen: parseListenAddress(flags.listen),
        token: randomBytes(24).toString('base64url'),
        page,
        settings: {
          title: [text, ...passedThrough].join(' '),
          source,
          argv: passedThrough.length > 0 || source.kind === 'image' ? passedThrough : ['/bin/sh'],
          folder: flags.workdir,
          memory: flags.memory * megabyte,
          code: {
            key: await pageCodeKey(codeCache),
            ...(codeCache !== undefined && { served: 'code/' }),
          },
        },
        content: codeCache === undefined ? content : withKeptCode(content, codeCache),
        onError: (message) => console.note(`${message}\n`),
      }),
    );
    console.write(`${url}\n`);
    console.note('Open this address in a browser; Ctrl-C ends the serving.\n');
    if (!console.signal.aborted) await once(console.signal, 'abort');
    return exitCode.ok;
  },
});

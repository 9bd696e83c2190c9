import { formatBytes } from '@tapline/base';
import { type Descriptor, formatPlatform, type ParsedManifest } from '@tapline/oci';
import { defineCommand, type Command } from '../framework/command.ts';
import { exitCode } from '../framework/exit-code.ts';
import { formatTable } from '../output/format-table.ts';
import { parseImagePlace } from '../registry/image-place.ts';
import { openEndpoint } from '../registry/open-endpoint.ts';
import { registryFlags } from '../registry/registry-flags.ts';
import { textOrJsonFlag } from '../output/output-flags.ts';

export const registryInspect: Command = defineCommand({
  summary: 'Show what an image is made of, and what refers to it',
  examples: [
    { command: 'tapline registry inspect jq:1.7.1', explains: 'platforms or layers' },
    {
      command: 'tapline registry inspect 127.0.0.1:5000/team/tool@sha256:DIGEST -o json',
      explains: 'the manifest as it is',
    },
  ],
  positionals: [
    {
      name: 'IMAGE',
      description: '[HOST/]REPOSITORY[:TAG][@DIGEST] or oci:DIR[:TAG]',
      required: true,
    },
  ],
  flags: { output: textOrJsonFlag, ...registryFlags },
  async run({ console, positionals: [text = ''], flags }) {
    const place = parseImagePlace(text);
    await using opened = await openEndpoint(place, flags, { console, mustExist: true });
    const { endpoint, repository } = opened;
    const options = { signal: console.signal };
    const reference =
      (place.kind === 'registry' ? place.digest : undefined) ?? place.tag ?? 'latest';
    const { digest, mediaType, bytes, manifest } = await endpoint.manifest(
      repository,
      reference,
      options,
    );
    const referrers = await endpoint.referrers(repository, digest, options);
    if (flags.output === 'json') {
      const document: unknown = JSON.parse(Buffer.from(bytes).toString());
      const all = { digest, mediaType, size: bytes.length, manifest: document, referrers };
      console.write(`${JSON.stringify(all, undefined, 2)}\n`);
      return exitCode.ok;
    }
    console.write(`${digest}\n${mediaType}, ${formatBytes(bytes.length)}\n${describe(manifest)}`);
    if (referrers.length > 0) {
      console.write(
        `\n${formatTable(['REFERRER', 'SIZE', 'DIGEST'], referrers.map(rowOf((one) => one.artifactType ?? one.mediaType)))}`,
      );
    }
    return exitCode.ok;
  },
});

function describe(parsed: ParsedManifest): string {
  if (parsed.kind === 'index') {
    const rows = parsed.index.manifests.map(rowOf(platformOf));
    return `\n${formatTable(['PLATFORM', 'SIZE', 'DIGEST'], rows)}`;
  }
  const { config, layers, subject, annotations } = parsed.manifest;
  const total = layers.reduce((sum, { size }) => sum + size, 0);
  const named = Object.entries(annotations ?? {}).map(([name, value]) => `${name}: ${value}\n`);
  return [
    ...(subject === undefined ? [] : [`refers to ${subject.digest}\n`]),
    ...named,
    `config ${config.digest}\n`,
    `\n${formatTable(['LAYER', 'SIZE', 'DIGEST'], layers.map(rowOf(({ mediaType }) => mediaType)))}`,
    `${layers.length} layers, ${formatBytes(total)}\n`,
  ].join('');
}

function rowOf(first: (one: Descriptor) => string): (one: Descriptor) => readonly string[] {
  return (one) => [first(one), formatBytes(one.size), one.digest];
}

function platformOf({ platform, mediaType }: Descriptor): string {
  return platform === undefined ? mediaType : formatPlatform(platform);
}

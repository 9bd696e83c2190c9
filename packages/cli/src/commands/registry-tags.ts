import { TaplineError } from '@tapline/base';
import { defineCommand, type Command } from '../framework/command.ts';
import { exitCode } from '../framework/exit-code.ts';
import { booleanFlag } from '../framework/flag.ts';
import { formatTable } from '../output/format-table.ts';
import { parseImagePlace } from '../registry/image-place.ts';
import { openEndpoint } from '../registry/open-endpoint.ts';
import { registryFlags } from '../registry/registry-flags.ts';
import { textOrJsonFlag } from '../output/output-flags.ts';

export const registryTags: Command = defineCommand({
  summary: 'List the tags of a repository, with the digests that they stand for',
  examples: [
    { command: 'tapline registry tags jq', explains: "of the control plane's registry" },
    { command: 'tapline registry tags ghcr.io/homebrew/core/jq', explains: 'of another' },
    { command: 'tapline registry tags oci:./jq', explains: 'of a folder' },
  ],
  positionals: [
    { name: 'REPOSITORY', description: '[HOST/]REPOSITORY or oci:DIR', required: true },
  ],
  flags: {
    all: booleanFlag('Also tags that only list what refers to a digest'),
    output: textOrJsonFlag,
    ...registryFlags,
  },
  async run({ console, positionals: [text = ''], flags }) {
    const place = parseImagePlace(text);
    if (place.tag !== undefined) {
      throw new TaplineError('usage', `${JSON.stringify(text)} names a tag, not a repository`, {
        hint: 'leave out what follows the colon',
      });
    }
    const { isReferrersTag } = await import('@tapline/registry');
    await using opened = await openEndpoint(place, flags, { console, mustExist: true });
    const { endpoint, repository } = opened;
    const options = { signal: console.signal };
    const names = (await endpoint.tags(repository, options)).filter(
      (tag) => flags.all || !isReferrersTag(tag),
    );
    const tags: { tag: string; digest: string }[] = [];
    for (const tag of names) {
      const found = await endpoint.resolve(repository, tag, options);
      // Deleted since it was listed.
      if (found !== undefined) tags.push({ tag, digest: found.digest });
    }
    console.write(
      flags.output === 'json'
        ? `${JSON.stringify(tags)}\n`
        : formatTable(
            ['TAG', 'DIGEST'],
            tags.map(({ tag, digest }) => [tag, digest]),
          ),
    );
    return exitCode.ok;
  },
});

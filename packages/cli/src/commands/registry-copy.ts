import { formatBytes, formatDuration, TaplineError } from '@tapline/base';
import { parsePlatform } from '@tapline/oci';
import { defineCommand, type Command } from '../framework/command.ts';
import { exitCode } from '../framework/exit-code.ts';
import { booleanFlag, listFlag, textFlag } from '../framework/flag.ts';
import { createCopyProgress } from '../registry/copy-progress.ts';
import { type ImagePlace, parseImagePlace } from '../registry/image-place.ts';
import { openEndpoint } from '../registry/open-endpoint.ts';
import { parseRate } from '../registry/parse-rate.ts';
import { registryFlags } from '../registry/registry-flags.ts';
import { textOrJsonFlag } from '../output/output-flags.ts';

export const registryCopy: Command = defineCommand({
  summary: 'Copy an image between registries and folders; only what is missing is sent',
  description:
    'An image is copied as it is, with all its platforms and the same digest, unless --platform chooses. What was interrupted goes on where it was when it is run again.',
  examples: [
    {
      command: 'tapline registry copy docker.io/library/alpine:3.20 base/alpine:3.20',
      explains: "into the control plane's registry",
    },
    {
      command: 'tapline registry copy jq:1.7.1 oci:./jq:1.7.1 --referrers --platform linux/arm64',
      explains: 'one platform into a folder, with its signatures',
    },
  ],
  positionals: [
    {
      name: 'FROM',
      description: '[HOST/]REPOSITORY[:TAG][@DIGEST] or oci:DIR[:TAG]',
      required: true,
    },
    { name: 'TO', description: '[HOST/]REPOSITORY[:TAG] or oci:DIR[:TAG]', required: true },
  ],
  flags: {
    platform: listFlag('Only these platforms of an image that has several', {
      valueName: 'OS/ARCH',
    }),
    referrers: booleanFlag('Also what refers to the image: signatures, SBOMs'),
    limitRate: textFlag('At most so many bytes a second, such as 500kB or 10MB', {
      valueName: 'RATE',
    }),
    output: textOrJsonFlag,
    ...registryFlags,
  },
  async run({ console, positionals: [from = '', to = ''], flags }) {
    const source = parseImagePlace(from);
    const destination = parseImagePlace(to);
    if (destination.kind === 'registry' && destination.digest !== undefined) {
      throw new TaplineError(
        'usage',
        `${JSON.stringify(to)} names a digest: what is copied has its own`,
      );
    }
    const { copyImage, createByteLimiter } = await import('@tapline/registry');
    const rate = flags.limitRate === undefined ? undefined : parseRate(flags.limitRate);
    await using opened = await openEndpoint(source, flags, { console, mustExist: true });
    await using target = await openEndpoint(destination, flags, { console, mustExist: false });
    const reference = referenceOf(source);
    const tag = destination.tag ?? (reference.includes(':') ? undefined : reference);
    const progress = createCopyProgress(console);
    const startMs = console.clock.monotonic();
    try {
      const copied = await copyImage(opened.endpoint, target.endpoint, {
        from: { repository: opened.repository, reference },
        to: { repository: target.repository, tag },
        ...(flags.platform.length > 0 && { platforms: flags.platform.map(parsePlatform) }),
        referrers: flags.referrers,
        ...(rate !== undefined && { limiter: createByteLimiter(rate, console.clock) }),
        onProgress: flags.output === 'json' ? () => undefined : progress.show,
        signal: console.signal,
      });
      progress.end();
      const ms = console.clock.monotonic() - startMs;
      const { digest, uploadedBytes, referrers, manifests } = copied;
      const blobs = {
        uploaded: copied.uploaded.length,
        mounted: copied.mounted.length,
        present: copied.present.length,
      };
      console.write(
        flags.output === 'json'
          ? `${JSON.stringify({ digest, tag, manifests, referrers, uploadedBytes, blobs })}\n`
          : `${digest}\n${formatBytes(uploadedBytes)} sent in ${blobs.uploaded} blobs, ${blobs.mounted} mounted, ${blobs.present} there already, ${referrers} referrers, in ${formatDuration(ms)}\n`,
      );
    } finally {
      progress.end();
    }
    return exitCode.ok;
  },
});

function referenceOf(place: ImagePlace): string {
  return (place.kind === 'registry' ? place.digest : undefined) ?? place.tag ?? 'latest';
}

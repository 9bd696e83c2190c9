import { formatBytes, formatDuration, isRecord, TaplineError } from '@tapline/base';
import type { ScrubEvent } from '@tapline/registry';
import { createInterface } from 'node:readline';
import { connect } from '../connection/connect.ts';
import { connectionFlags } from '../connection/connection-flags.ts';
import { defineCommand, type Command } from '../framework/command.ts';
import { exitCode } from '../framework/exit-code.ts';
import { booleanFlag } from '../framework/flag.ts';
import { createProgressLine } from '../output/progress-line.ts';
import { adminRequest } from '../registry/admin-request.ts';
import { textOrJsonFlag } from '../output/output-flags.ts';

type Event =
  | ScrubEvent
  | { readonly kind: 'error'; readonly code: string; readonly message: string };

export const registryScrub: Command = defineCommand({
  summary: 'Read every blob of the registry and compare it with its digest',
  description:
    'What is damaged is taken out of service, so that the next push brings it back. The exit code is 1 where something is damaged or missing and was not repaired.',
  examples: [
    { command: 'tapline registry scrub', explains: 'find what is damaged' },
    { command: 'tapline registry scrub --repair', explains: 'and fetch it again from replicas' },
  ],
  positionals: [],
  flags: {
    repair: booleanFlag('Fetch what is damaged or missing from replicas'),
    output: textOrJsonFlag,
    ...connectionFlags,
  },
  async run({ console, flags }) {
    const { context } = await connect(flags, console);
    const path = `/registry/v1/scrub${flags.repair ? '?repair=true' : ''}`;
    const response = await adminRequest(context, { method: 'POST', path }, console);
    const line = createProgressLine(console);
    let done: Extract<ScrubEvent, { kind: 'done' }> | undefined;
    for await (const text of createInterface({ input: response })) {
      const event: unknown = JSON.parse(text);
      if (!isRecord(event)) continue;
      const known = event as unknown as Event;
      if (known.kind === 'error') throw new TaplineError(known.code, known.message);
      if (flags.output === 'json') {
        console.write(`${text}\n`);
      } else if (known.kind === 'progress') {
        const { bytes, totalBytes, blobs, totalBlobs } = known;
        const read = `${formatBytes(bytes)} of ${formatBytes(totalBytes)} read`;
        line.show({ text: read, done: blobs, of: totalBlobs });
      } else if (known.kind !== 'done') {
        line.clear();
        const where = known.repositories.join(', ');
        const from = known.replica === undefined ? '' : ` from ${known.replica}`;
        const why = known.reason === undefined ? '' : `: ${known.reason}`;
        console.write(`${known.kind} ${known.digest} of ${where}: ${known.outcome}${from}${why}\n`);
      }
      if (known.kind === 'done') done = known;
    }
    line.clear();
    if (done === undefined) {
      throw new TaplineError('unreachable', 'the scrub was cut off before its end');
    }
    const { blobs, bytes, damaged, missing, repaired, durationMs } = done;
    if (flags.output !== 'json') {
      console.write(
        `${blobs} blobs, ${formatBytes(bytes)} read in ${formatDuration(durationMs)}: ${damaged} damaged, ${missing} missing, ${repaired} repaired\n`,
      );
    }
    return damaged + missing > repaired ? exitCode.failed : exitCode.ok;
  },
});

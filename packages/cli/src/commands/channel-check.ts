import { formatDuration, TaplineError } from '@tapline/base';
import type { Finding } from '@tapline/hls';
import { type Command, defineCommand } from '../framework/command.ts';
import { exitCode } from '../framework/exit-code.ts';
import { durationFlag, textFlagWithDefault } from '../framework/flag.ts';
import { formatTable } from '../output/format-table.ts';

export const channelCheck: Command = defineCommand({
  summary: 'Look at an HLS stream as a player does, and say what is wrong with it',
  description:
    'Fetches the multivariant playlist, each rendition with its newest segment, and one reload of what is live: a blocking one where the server offers it. Ends with 1 where players would fail.',
  examples: [
    {
      command: 'tapline channel check https://origin.example/news.m3u8',
      explains: 'before a channel is made of it',
    },
  ],
  positionals: [{ name: 'URL', description: 'of its playlist', required: true }],
  flags: {
    timeout: durationFlag('How long an answer may take', { default: '10s' }),
    output: textFlagWithDefault('How to print it', {
      short: 'o',
      valueName: 'FORMAT',
      choices: ['text', 'json'],
      default: 'text',
    }),
  },
  async run({ console, positionals: [url = ''], flags }) {
    if (!URL.canParse(url) || !/^https?:$/.test(new URL(url).protocol)) {
      throw new TaplineError('usage', `${JSON.stringify(url)} is no address of http or https`);
    }
    const { checkStream } = await import('../channel/check-stream.ts');
    const { clock, signal } = console;
    const report = await checkStream(url, { clock, signal, timeoutMs: flags.timeout });
    const { renditions } = report;
    const failed =
      [report, ...renditions].some(({ findings }) => findings.some(isError)) ||
      renditions.some(({ failure }) => failure !== undefined);
    if (flags.output === 'json') {
      console.write(`${JSON.stringify(report)}\n`);
      return failed ? exitCode.failed : exitCode.ok;
    }
    const rows = renditions.map((one) => [
      one.url,
      one.failure === undefined ? one.kind : 'failed',
      String(one.segments),
      `${one.seconds.toFixed(1)} s`,
      `${one.latencySeconds.toFixed(1)} s`,
      formatDuration(one.fetchedMs),
      one.reloadedMs === undefined ? '-' : formatDuration(one.reloadedMs),
    ]);
    const header = ['RENDITION', 'KIND', 'SEGMENTS', 'LISTED', 'LATENCY', 'FETCHED', 'NEXT'];
    console.write(formatTable(header, rows));
    for (const { url: where, findings } of [report, ...renditions]) {
      for (const { severity, code, line, message } of findings) {
        const at = line === undefined ? '' : `:${line}`;
        console.write(`${severity} ${code} ${where}${at} ${message}\n`);
      }
    }
    for (const { url: where, failure } of renditions) {
      if (failure !== undefined) console.write(`error origin-failed ${where} ${failure}\n`);
    }
    return failed ? exitCode.failed : exitCode.ok;
  },
});

function isError({ severity }: Finding): boolean {
  return severity === 'error';
}

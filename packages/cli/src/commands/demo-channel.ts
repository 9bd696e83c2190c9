import { TaplineError } from '@tapline/base';
import { type Command, defineCommand } from '../framework/command.ts';
import { exitCode } from '../framework/exit-code.ts';

export const demoChannel: Command = defineCommand({
  summary: 'Show a live channel on three nodes, played in a browser while one of them dies',
  description:
    'FFmpeg makes a stream, a control plane and three nodes serve it on loopback, and Chromium without a window plays it with hls.js. Then the node that the player is on is killed, and the picture goes on. Leaves nothing behind. Needs ffmpeg and Chromium.',
  examples: [{ command: 'tapline demo channel', explains: 'all of it, in about half a minute' }],
  positionals: [],
  flags: {},
  async run({ console }) {
    const { runChannelDemo } = await import('../demo/run-channel-demo.ts');
    try {
      await runChannelDemo(console);
      return exitCode.ok;
    } catch (error) {
      if (!console.signal.aborted) throw error;
      throw new TaplineError('interrupted', 'the demo was stopped; nothing is left behind');
    }
  },
});

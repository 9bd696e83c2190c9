import { TaplineError } from '@tapline/base';
import { connect } from '../connection/connect.ts';
import { connectionFlags } from '../connection/connection-flags.ts';
import { downloadFile } from '../connection/download-file.ts';
import { parseFilePlace } from '../connection/file-place.ts';
import { uploadFile } from '../connection/upload-file.ts';
import { type Command, defineCommand } from '../framework/command.ts';
import { exitCode } from '../framework/exit-code.ts';

export const cp: Command = defineCommand({
  summary: 'Copy a file to or from the folder that a device shares',
  description:
    'Through the device’s tunnel, whole or not at all. A device shares nothing unless its agent was started with --files; paths are below that folder.',
  examples: [
    { command: 'tapline cp edge-1:logs/today.txt today.txt', explains: 'from edge-1' },
    { command: 'tapline cp settings.json edge-1:settings.json', explains: 'to edge-1' },
  ],
  positionals: [
    { name: 'FROM', description: 'a file here, or DEVICE:PATH', required: true, complete: 'files' },
    { name: 'TO', description: 'a file here, or DEVICE:PATH', required: true, complete: 'files' },
  ],
  flags: { ...connectionFlags },
  async run({ console, positionals, flags }) {
    const [from, to] = positionals.map(parseFilePlace);
    const { context } = await connect(flags, console);
    if (from?.kind === 'device' && to?.kind === 'here') {
      await downloadFile(context, { from, to: to.path }, console);
    } else if (from?.kind === 'here' && to?.kind === 'device') {
      await uploadFile(context, { from: from.path, to }, console);
    } else {
      throw new TaplineError(
        'usage',
        'one of the two files is of a device, and the other is here',
        {
          hint: 'write a device’s as edge-1:notes.txt',
        },
      );
    }
    return exitCode.ok;
  },
});

import type { Command } from '../framework/command.ts';
import { nodeDrain } from './node-drain.ts';

/** The same as `node drain`, by the word that people try first. */
export const drain: Command = {
  ...nodeDrain,
  examples: [
    { command: 'tapline drain edge-1', explains: 'before it is switched off' },
    { command: 'tapline drain edge-1 --undo', explains: 'when it is back' },
  ],
};

import type { Positional } from '../framework/command.ts';
import { type Flag, textFlagWithDefault } from '../framework/flag.ts';

export const channelPositional: Positional = {
  name: 'CHANNEL',
  description: 'the channel',
  required: true,
};

export const formatFlag: Flag<string> = textFlagWithDefault('How to print it', {
  short: 'o',
  valueName: 'FORMAT',
  choices: ['text', 'json'],
  default: 'text',
});

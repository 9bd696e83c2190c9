import { booleanFlag, type Flag, textFlagWithDefault } from '../framework/flag.ts';

export const outputFormats = ['table', 'wide', 'json', 'yaml', 'name'] as const;

/** How objects are printed. */
export const outputFlags: { readonly output: Flag<string>; readonly noHeaders: Flag<boolean> } = {
  output: textFlagWithDefault('How to print', {
    short: 'o',
    valueName: 'FORMAT',
    choices: outputFormats,
    default: 'table',
  }),
  noHeaders: booleanFlag('Leave out the header of tables'),
};

/** How a command prints its own result. */
export const textOrJsonFlag: Flag<string> = textFlagWithDefault('How to print it', {
  short: 'o',
  valueName: 'FORMAT',
  choices: ['text', 'json'],
  default: 'text',
});

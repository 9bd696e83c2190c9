export { type PlayerPage, type PlayerReport, startPlayerPage } from './demo/start-player-page.ts';
export { commandGroups } from './commands.ts';
export type { Command } from './framework/command.ts';
export { exitCode, exitCodeMeanings } from './framework/exit-code.ts';
export { flagMeaning, flagSyntax, usageLine } from './framework/format-help.ts';
export { parseCommandLine } from './framework/parse-command-line.ts';
export { loadAll } from './framework/run-program.ts';

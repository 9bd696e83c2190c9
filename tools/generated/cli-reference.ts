import {
  type Command,
  commandGroups,
  exitCode,
  exitCodeMeanings,
  flagMeaning,
  flagSyntax,
  loadAll,
  usageLine,
} from '@tapline/cli';

/** The reference of every command, from its declaration. */
export async function cliReference(): Promise<string> {
  const groups = await loadAll(commandGroups);
  const sections = groups.map(
    ({ title, commands }) =>
      `## ${title}\n\n${commands.map(([name, command]) => commandSection(name, command)).join('\n')}`,
  );
  const codes = Object.entries(exitCodeMeanings).map(
    ([key, meaning]) => `| ${exitCode[key as keyof typeof exitCode]} | ${meaning} |\n`,
  );
  return `# Commands

Generated from the declarations in \`packages/cli/src/commands\` by \`npm run generate\`.

${sections.join('\n')}
## Exit codes

\`exec\` answers the exit code of the program it ran.

| code | meaning |
|---|---|
${codes.join('')}`;
}

function commandSection(name: string, command: Command): string {
  const flags = Object.entries(command.flags).map(
    ([key, flag]) => `| \`${flagSyntax(key, flag).trim()}\` | ${escapeCell(flagMeaning(flag))} |\n`,
  );
  const positionals = command.positionals.map(
    (one) => `| \`${one.name}\` | ${escapeCell(one.description)} |\n`,
  );
  const examples = command.examples.map((one) => `# ${one.explains}\n${one.command}\n`);
  return `### tapline ${name}

${command.summary}.${command.description === undefined ? '' : ` ${command.description}`}

\`\`\`sh
${usageLine(name, command)}

${examples.join('\n')}\`\`\`
${positionals.length + flags.length === 0 ? '' : `\n| argument or flag | meaning |\n|---|---|\n${positionals.join('')}${flags.join('')}`}`;
}

function escapeCell(text: string): string {
  return text.replaceAll('|', '\\|');
}

import { TaplineError } from '@tapline/base';
import { attachmentResource, nodeResource } from '@tapline/resources';
import { connect } from '../connection/connect.ts';
import { connectionFlags } from '../connection/connection-flags.ts';
import { type Command, defineCommand } from '../framework/command.ts';
import { exitCode } from '../framework/exit-code.ts';
import { listFlag, textFlag } from '../framework/flag.ts';
import { readNodeStates } from '../segment/node-states.ts';
import { previewAttachments } from '../segment/preview-attachments.ts';
import { planCommands } from '../segment/plan-commands.ts';

export const segmentPlan: Command = defineCommand({
  summary: 'Show the commands that would run on each node',
  description:
    'Compares what each node is to have with what its kernel has at this moment, and prints what would change it: nothing where it stands. With -f it is what would change if the file were applied; VNI and addresses are those that it would get now. Nothing is written.',
  examples: [
    { command: 'tapline segment plan news', explains: 'what is left to do' },
    { command: 'tapline segment plan -f news.yaml', explains: 'before it is applied' },
    { command: 'tapline segment plan -f news.yaml --node n1', explains: 'on one node' },
  ],
  positionals: [{ name: 'NAME', description: 'a segment that was applied', required: false }],
  flags: {
    file: listFlag('Manifests of segments, or - for standard input', {
      short: 'f',
      valueName: 'FILE',
    }),
    node: textFlag('Only this node', { valueName: 'NAME' }),
    ...connectionFlags,
  },
  async run({ console, positionals: [name], flags }) {
    if ((name === undefined) === (flags.file.length === 0)) {
      throw new TaplineError('usage', 'either a segment or a file is to be named', {
        hint: 'write `tapline segment plan NAME` or `tapline segment plan -f FILE`',
      });
    }
    const { client, context } = await connect(flags, console);
    const { signal } = console;
    const [present, nodes] = await Promise.all([
      client.list(attachmentResource, { signal }),
      client.list(nodeResource, { signal }),
    ]);
    const { attachments, names } =
      name === undefined
        ? await previewAttachments(client, { files: flags.file, present: present.items, console })
        : { attachments: present.items, names: [name] };
    const concerned = new Set(
      attachments
        .filter(({ spec }) => names.includes(spec.segment))
        .map(({ spec }) => spec.node)
        .filter((node) => flags.node === undefined || node === flags.node),
    );
    if (concerned.size === 0) {
      const where = flags.node === undefined ? 'no node' : `not on node ${flags.node}`;
      throw new TaplineError('not_found', `segment ${names.join(', ')} is on ${where}`, {
        hint: `see tapline explain segment ${names[0] ?? ''}`,
      });
    }
    const ordered = [...concerned].toSorted();
    const { states, silent } = await readNodeStates(context, ordered, { signal });
    for (const node of ordered) {
      const state = states.get(node);
      if (state === undefined) continue;
      const own = attachments.filter(({ spec }) => spec.node === node);
      const found = nodes.items.find(({ metadata }) => metadata.name === node);
      const commands = await planCommands(own, { node, state, status: found?.status });
      console.write(`# node ${node}: ${commands.length} commands\n`);
      for (const command of commands) console.write(`${command}\n`);
    }
    for (const { node, why } of silent) console.note(`node ${node} was not asked: ${why}\n`);
    return silent.length === 0 ? exitCode.ok : exitCode.notReady;
  },
});

import type { Attachment, NodeStatus } from '@tapline/resources';
import type { NodeState } from '@tapline/segments';

/** The commands that would make a node's kernel what its Attachments say, a line each. */
export async function planCommands(
  attachments: readonly Attachment[],
  about: {
    readonly node: string;
    readonly state: NodeState;
    readonly status: NodeStatus | undefined;
  },
): Promise<readonly string[]> {
  const { node, state, status } = about;
  const { capabilitiesOf, claimOf } = await import('@tapline/agent');
  const { commandText, compileNode, planNode, renderOperation, takenVnis, wholeState } =
    await import('@tapline/segments');
  const intent = claimOf(attachments);
  const { capabilities = [], underlay } = status ?? {};
  const compiled = compileNode(intent, {
    node,
    capabilities: capabilitiesOf(capabilities, underlay?.mtu ?? 1500),
    taken: takenVnis(state, intent.vxlanPort),
  });
  const refused = compiled.refused.map(({ code, message }) => `# ${code}: ${message}`);
  const commands = planNode(wholeState(compiled), state).flatMap((operation) =>
    renderOperation(operation, { wireguardKeyFile: '(key file)' }).map(commandText),
  );
  return [...refused, ...commands];
}

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
  const { capabilitiesOf, claimOf, reportedIntent } = await import('@tapline/agent');
  const {
    commandText,
    compileNode,
    planNode,
    renderOperation,
    takenVnis,
    underlayDevice,
    wholeState,
  } = await import('@tapline/segments');
  const intent = reportedIntent(claimOf(attachments), { node, status });
  const { capabilities: names = [], link, underlay } = status ?? {};
  const found = capabilitiesOf(names, underlay?.mtu ?? 1500);
  const capabilities = link === undefined ? found : { ...found, linkMtu: link.mtu };
  const macsec = capabilities.macsec === 'user-space' ? 'user-space' : 'kernel';
  const own = intent.nodes.find(({ name }) => name === node);
  const compiled = compileNode(intent, {
    node,
    capabilities,
    taken: takenVnis(state, intent.vxlanPort),
    underlay: underlayDevice(state, own?.underlay ?? ''),
  });
  const refused = compiled.refused.map(({ code, message }) => `# ${code}: ${message}`);
  const commands = planNode(wholeState(compiled), state).flatMap((operation) =>
    renderOperation(operation, { wireguardKeyFile: '(key file)', macsec }).map(commandText),
  );
  return [...refused, ...commands];
}

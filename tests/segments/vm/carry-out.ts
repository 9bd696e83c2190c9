import type { LayoutCommand } from '@tapline/segments';
import type { Vm } from './open-vm.ts';

/** Runs commands in a node's namespace, each program's together and in order. */
export async function carryOut(
  vm: Vm,
  node: string,
  commands: readonly LayoutCommand[],
): Promise<void> {
  let at = 0;
  while (at < commands.length) {
    const program = commands[at]?.program ?? 'ip';
    const from = at;
    while (commands[at]?.program === program) at += 1;
    const lines = commands.slice(from, at).map(({ line }) => line);
    const words = program === 'nft' ? ['nft', '-f', '-'] : [program, '-batch', '-'];
    const { code, stderr } = await vm.run(node, words, `${lines.join('\n')}\n`);
    if (code !== 0) throw new Error(`${program} in ${node}: ${stderr}`);
  }
}

/** Why a guest does not go on by itself. Its PC is at the instruction, but for system calls after it. */
export type Stop =
  | { readonly kind: 'system-call' }
  | { readonly kind: 'breakpoint'; readonly imm: number }
  | { readonly kind: 'undefined-instruction'; readonly word: number }
  | {
      readonly kind: 'memory-fault';
      readonly address: bigint;
      readonly access: 'read' | 'write' | 'execute';
    }
  /** As many instructions as were asked for have been run. */
  | { readonly kind: 'fuel' };

import type { IpsecOperation } from './ipsec-operation.ts';
import type { KeySource } from './key-reference.ts';

/** A line for a program that reads commands from its input, so that no key is an argument. */
export interface EncryptionCommand {
  readonly program: 'ip' | 'nft';
  readonly line: string;
}

const table = 'inet tapline_ipsec';
// UDP is 17 here: names of protocols need a file that small systems lack.
/** Policies of peers come before the one that blocks. */
const priority = { peer: 100, block: 1000 } as const;

/** The command of an operation; `keyOf` is `shownKey` where it is printed. */
export function ipsecCommand(operation: IpsecOperation, keyOf: KeySource): EncryptionCommand {
  switch (operation.kind) {
    case 'association-add': {
      const { source, destination, spi, requestId, port, key } = operation;
      const ends = `src ${source} dst ${destination}`;
      // ESN: sequence numbers of 64 bits do not run out between rotations.
      return ip(
        `xfrm state add ${ends} proto esp spi ${hex(spi)} reqid ${requestId} mode transport ` +
          `replay-window 128 flag esn aead rfc4106(gcm(aes)) 0x${keyOf(key)} 128 ` +
          `sel src ${source} dst ${destination} proto 17 dport ${port}`,
      );
    }
    case 'association-delete': {
      const { source, destination, spi } = operation;
      return ip(`xfrm state delete src ${source} dst ${destination} proto esp spi ${hex(spi)}`);
    }
    case 'policy-set': {
      const { source, destination, requestId, spi } = operation;
      const chosen = spi === undefined ? '' : ` spi ${hex(spi)}`;
      return ip(
        `xfrm policy update ${selector(operation)} priority ${priority.peer} tmpl src ${source} ` +
          `dst ${destination} proto esp${chosen} reqid ${requestId} mode transport level required`,
      );
    }
    case 'policy-delete':
      return ip(`xfrm policy delete ${selector(operation)}`);
    case 'block-set':
    case 'block-delete':
      return ip(blockLine(operation));
    case 'guard-install':
      return { program: 'nft', line: guard(operation) };
    case 'guard-delete':
      return { program: 'nft', line: `delete table ${table}` };
  }
}

function selector(policy: {
  readonly source: string;
  readonly destination: string;
  readonly port: number;
  readonly direction: string;
}): string {
  const { source, destination, port, direction } = policy;
  return `src ${source} dst ${destination} proto 17 dport ${port} dir ${direction}`;
}

function blockLine(operation: {
  readonly kind: string;
  readonly family: 4 | 6;
  readonly port: number;
}): string {
  const { kind, family, port } = operation;
  const any = family === 4 ? '0.0.0.0/0' : '::/0';
  const ends = `src ${any} dst ${any} proto 17 dport ${port}`;
  const verb = kind === 'block-set' ? 'update' : 'delete';
  const action = kind === 'block-set' ? ` action block priority ${priority.block}` : '';
  return ['in', 'out']
    .map((direction) => `xfrm policy ${verb} ${ends} dir ${direction}${action}`)
    .join('\n');
}

/** It asks nothing of policies: packets are looked at as they are, whoever flushed what. */
function guard({
  port,
  vnis,
}: {
  readonly port: number;
  readonly vnis: readonly number[];
}): string {
  const match = `udp dport ${port} @th,96,24 @vnis`;
  return [
    `table ${table} {}`,
    `delete table ${table}`,
    `table ${table} {`,
    `  set vnis { typeof @th,96,24; elements = { ${vnis.join(', ')} } }`,
    `  chain input { type filter hook input priority -150; ${match} meta ipsec missing counter drop; }`,
    `  chain output { type filter hook output priority 0; ${match} rt ipsec missing counter drop; }`,
    '}',
  ].join('\n');
}

function ip(line: string): EncryptionCommand {
  return { program: 'ip', line };
}

function hex(value: number): string {
  return `0x${value.toString(16).padStart(8, '0')}`;
}

import type { Command } from '../plan/command.ts';
import { ipsecGuardText, ipsecTableName } from './ipsec-guard.ts';
import type { IpsecOperation } from './ipsec-operation.ts';
import { type KeySource, shownKey } from './key-reference.ts';

/** The commands of an operation; their text for people has no key in it. */
export function ipsecCommand(operation: IpsecOperation, keyOf: KeySource): readonly Command[] {
  switch (operation.kind) {
    case 'association-add':
      return [
        {
          program: 'ip',
          line: addLine(operation, `0x${keyOf(operation.key)}`),
          shown: addLine(operation, shownKey(operation.key)),
        },
      ];
    case 'association-delete': {
      const { source, destination, spi } = operation;
      return ip(`xfrm state delete src ${source} dst ${destination} proto esp spi ${hex(spi)}`);
    }
    case 'policy-set': {
      const { source, destination, requestId, spi, action, priority } = operation;
      const set = `xfrm policy update ${selector(operation)} priority ${priority}`;
      if (action === 'block') return ip(`${set} action block`);
      if (requestId === undefined) return ip(`${set} action allow`);
      const chosen = spi === undefined ? '' : ` spi ${hex(spi)}`;
      return ip(
        `${set} tmpl src ${host(source)} dst ${host(destination)} proto esp${chosen} ` +
          `reqid ${requestId} mode transport level required`,
      );
    }
    case 'policy-delete':
      return ip(`xfrm policy delete ${selector(operation)}`);
    case 'guard-install':
      return ipsecGuardText(operation.port, operation.vnis)
        .split('\n')
        .map((line) => ({ program: 'nft', line }));
    case 'guard-delete':
      return [{ program: 'nft', line: `delete table inet ${ipsecTableName}` }];
  }
}

function addLine(
  operation: Extract<IpsecOperation, { kind: 'association-add' }>,
  key: string,
): string {
  const { source, destination, spi, requestId, port } = operation;
  // ESN: sequence numbers of 64 bits do not run out between rotations. UDP is 17 here: names of
  // protocols need a file that small systems lack.
  return (
    `xfrm state add src ${source} dst ${destination} proto esp spi ${hex(spi)} reqid ${requestId} ` +
    `mode transport replay-window 128 flag esn aead rfc4106(gcm(aes)) ${key} 128 ` +
    `sel src ${source} dst ${destination} proto 17 dport ${port}`
  );
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

function host(prefix: string): string {
  return prefix.replace(/\/\d+$/, '');
}

function ip(line: string): readonly Command[] {
  return [{ program: 'ip', line }];
}

function hex(value: number): string {
  return `0x${value.toString(16).padStart(8, '0')}`;
}

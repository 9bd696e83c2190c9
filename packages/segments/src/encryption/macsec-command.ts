import type { Command } from '../plan/command.ts';
import { type KeyReference, type KeySource, shownKey } from './key-reference.ts';
import {
  linkGuardText,
  linkTableName,
  macsecGuardText,
  macsecUnguardText,
} from './macsec-guard.ts';
import type { MacsecOperation } from './macsec-operation.ts';

/** What a device of MACsec is on a node. */
export type MacsecPlace = 'kernel' | 'user-space';

/** The commands of an operation; their text for people has no key in it. */
export function macsecCommand(
  operation: MacsecOperation,
  { keyOf, place }: { readonly keyOf: KeySource; readonly place: MacsecPlace },
): readonly Command[] {
  const isGuard = /^(parent|link-guard)/.test(operation.kind);
  if (place === 'user-space' && !isGuard) return userSpaceCommand(operation, keyOf);
  switch (operation.kind) {
    case 'parent-guard':
      return macsecGuardText(operation.parent)
        .split('\n')
        .map((line) => ({ program: 'nft', line }));
    case 'parent-open':
      return [{ program: 'nft', line: macsecUnguardText(operation.parent) }];
    case 'link-guard':
      return linkGuardText(operation.port, operation.vnis)
        .split('\n')
        .map((line) => ({ program: 'nft', line }));
    case 'link-guard-delete':
      return [{ program: 'nft', line: `delete table inet ${linkTableName}` }];
    case 'macsec-add': {
      const { dev, parent, mtu } = operation;
      return ip(
        `link add link ${parent} name ${dev} mtu ${mtu} type macsec port 1 cipher gcm-aes-256 icvlen 16 ` +
          'protect on encrypt on validate strict send_sci on replay on window 64',
        `link set dev ${dev} addrgenmode none`,
        // It carries nothing while its parent is down, which nobody else may use.
        `link set dev ${parent} up`,
      );
    }
    case 'macsec-delete':
      return ip(`link delete dev ${operation.dev}`);
    case 'channel-add':
      return ip(`macsec add ${operation.dev} rx port 1 address ${operation.mac} on`);
    case 'channel-delete':
      return ip(`macsec del ${operation.dev} rx port 1 address ${operation.mac}`);
    case 'receive-add': {
      const { dev, mac } = operation;
      return [keyed(`macsec add ${dev} rx port 1 address ${mac}`, operation, keyOf)];
    }
    case 'receive-delete': {
      const { dev, mac, associationNumber } = operation;
      const which = `${dev} rx port 1 address ${mac} sa ${associationNumber}`;
      // The kernel keeps what is on.
      return ip(`macsec set ${which} off`, `macsec del ${which}`);
    }
    case 'send-add':
      return [keyed(`macsec add ${operation.dev} tx`, operation, keyOf)];
    case 'send-use':
      return ip(
        `link set dev ${operation.dev} type macsec encodingsa ${operation.associationNumber}`,
      );
    case 'send-delete': {
      const which = `${operation.dev} tx sa ${operation.associationNumber}`;
      return ip(`macsec set ${which} off`, `macsec del ${which}`);
    }
  }
}

/** For the program that is the device; addresses and MTU are the interface's, as elsewhere. */
function userSpaceCommand(operation: MacsecOperation, keyOf: KeySource): readonly Command[] {
  const line = (key: (reference: KeyReference) => string): string =>
    JSON.stringify('key' in operation ? { ...operation, key: key(operation.key) } : operation);
  const command: Command = { program: 'macsec', line: line(keyOf), shown: line(shownKey) };
  if (operation.kind !== 'macsec-add') return [command];
  const { dev, parent, mtu, mac } = operation;
  return [
    ...ip(`link set dev ${parent} up`),
    command,
    ...ip(`link set dev ${dev} address ${mac} mtu ${mtu} addrgenmode none`),
  ];
}

function keyed(
  start: string,
  operation: Extract<MacsecOperation, { kind: 'receive-add' | 'send-add' }>,
  keyOf: KeySource,
): Command {
  const { associationNumber, keyId, key } = operation;
  const rest = `sa ${associationNumber} pn 1 on key ${keyId}`;
  return {
    program: 'ip',
    line: `${start} ${rest} ${keyOf(key)}`,
    shown: `${start} ${rest} ${shownKey(key)}`,
  };
}

function ip(...lines: readonly string[]): readonly Command[] {
  return lines.map((line) => ({ program: 'ip', line }));
}

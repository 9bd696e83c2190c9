import type { EncryptionCommand } from './ipsec-command.ts';
import type { KeySource } from './key-reference.ts';
import type { MacsecOperation } from './macsec-operation.ts';

/** The command of an operation; `keyOf` is `shownKey` where it is printed. */
export function macsecCommand(operation: MacsecOperation, keyOf: KeySource): EncryptionCommand {
  switch (operation.kind) {
    case 'parent-guard':
      return { program: 'nft', line: guard(operation.parent) };
    case 'parent-open':
      return { program: 'nft', line: `delete table ${tableName(operation.parent)}` };
    case 'device-add': {
      const { dev, parent } = operation;
      return ip(
        `link add link ${parent} name ${dev} type macsec port 1 cipher gcm-aes-256 icvlen 16 ` +
          'protect on encrypt on validate strict send_sci on replay on window 64',
      );
    }
    case 'device-delete':
      return ip(`link delete dev ${operation.dev}`);
    case 'channel-add':
      return ip(`macsec add ${operation.dev} rx port 1 address ${operation.mac} on`);
    case 'channel-delete':
      return ip(`macsec del ${operation.dev} rx port 1 address ${operation.mac}`);
    case 'receive-add': {
      const { dev, mac, associationNumber, key } = operation;
      return ip(
        `macsec add ${dev} rx port 1 address ${mac} sa ${associationNumber} pn 1 on ` +
          `key ${keyId(key.epoch)} ${keyOf(key)}`,
      );
    }
    case 'receive-delete': {
      const { dev, mac, associationNumber } = operation;
      const which = `${dev} rx port 1 address ${mac} sa ${associationNumber}`;
      // The kernel keeps what is on.
      return ip(`macsec set ${which} off\nmacsec del ${which}`);
    }
    case 'send-add': {
      const { dev, associationNumber, key } = operation;
      return ip(
        `macsec add ${dev} tx sa ${associationNumber} pn 1 on key ${keyId(key.epoch)} ${keyOf(key)}`,
      );
    }
    case 'send-use':
      return ip(
        `link set dev ${operation.dev} type macsec encodingsa ${operation.associationNumber}`,
      );
    case 'send-delete': {
      const which = `${operation.dev} tx sa ${operation.associationNumber}`;
      return ip(`macsec set ${which} off\nmacsec del ${which}`);
    }
  }
}

function ip(line: string): EncryptionCommand {
  return { program: 'ip', line };
}

/** 16 bytes that `ip macsec show` prints; it tells nothing of the key. */
function keyId(epoch: number): string {
  return epoch.toString(16).padStart(32, '0');
}

function tableName(parent: string): string {
  return `netdev tapline_${parent.replaceAll(/\W/g, '_')}`;
}

/** IEEE Std 802.1AE and 802.1X: 0x88E5 and EAPOL (0x888E) are all that a protected link carries. */
function guard(parent: string): string {
  const table = tableName(parent);
  const rule = 'ether type { 0x88e5, 0x888e } accept';
  return [
    `table ${table} {}`,
    `delete table ${table}`,
    `table ${table} {`,
    `  chain in { type filter hook ingress device "${parent}" priority -500; policy drop; ${rule}; }`,
    `  chain out { type filter hook egress device "${parent}" priority -500; policy drop; ${rule}; }`,
    '}',
  ].join('\n');
}

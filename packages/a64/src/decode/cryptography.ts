import { encodingClass, type EncodingClass } from './encoding-class.ts';

const aes = ['aese', 'aesd', 'aesmc', 'aesimc'] as const;
const shaThree = [
  'sha1c',
  'sha1p',
  'sha1m',
  'sha1su0',
  'sha256h',
  'sha256h2',
  'sha256su1',
] as const;
const shaTwo = ['sha1h', 'sha1su1', 'sha256su0'] as const;

/** Arm ARM C4.1, the cryptographic classes of FEAT_AES, FEAT_SHA1 and FEAT_SHA256. */
export const cryptography: readonly EncodingClass[] = [
  encodingClass(
    'Cryptographic AES',
    '01001110 size:2 10100 opcode:5 10 Rn:5 Rd:5',
    ({ size, opcode, Rn, Rd }) => {
      const op = aes[opcode - 4];
      return size !== 0 || op === undefined ? undefined : { kind: 'aes', op, rd: Rd, rn: Rn };
    },
  ),
  encodingClass(
    'Cryptographic three-register SHA',
    '01011110 size:2 0 Rm:5 0 opcode:3 00 Rn:5 Rd:5',
    ({ size, Rm, opcode, Rn, Rd }) => {
      const op = shaThree[opcode];
      if (size !== 0 || op === undefined) return undefined;
      return { kind: 'sha-three', op, rd: Rd, rn: Rn, rm: Rm };
    },
  ),
  encodingClass(
    'Cryptographic two-register SHA',
    '01011110 size:2 10100 opcode:5 10 Rn:5 Rd:5',
    ({ size, opcode, Rn, Rd }) => {
      const op = shaTwo[opcode];
      return size !== 0 || op === undefined ? undefined : { kind: 'sha-two', op, rd: Rd, rn: Rn };
    },
  ),
];

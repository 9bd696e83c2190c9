import { concatBytes } from '@tapline/base';
import { encodeTar, type TarEntry } from '@tapline/oci';
import { staticProgram } from '../../../userland/src/testing/static-program.ts';

// AArch64: write(1, "hi\n", 3); exit(7).
const says = staticProgram([
  0xd2800020, 0x100000e1, 0xd2800062, 0xd2800808, 0xd4000001, 0xd28000e0, 0xd2800ba8, 0xd4000001,
  0x000a6968,
]);
// b .
const spins = staticProgram([0x14000000]);

const entry: TarEntry = {
  kind: 'file',
  path: '',
  mode: 0o755,
  uid: 0,
  gid: 0,
  size: 0,
  mtimeSeconds: 0,
};

/** A layer with the programs `says`, which writes hi and ends with 7, and `spins`, which goes on. */
export function testLayer(): Uint8Array<ArrayBuffer> {
  const members = Object.entries({ says, spins }).map(([path, data]) => ({
    entry: { ...entry, path, size: data.length },
    data,
  }));
  return concatBytes([...encodeTar(members)]);
}

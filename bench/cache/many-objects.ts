import { open, truncate, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { crc32 } from 'node:zlib';
import { seededRng } from '@tapline/base';

const recordBytes = 102_400;
const perSegment = 39_062;

/**
 * A folder as a long run leaves it: segments of 4 GB with records of 100 KiB each, their indexes whole
 * and the records themselves holes.
 */
export async function makeManyObjects(folder: string, count: number): Promise<void> {
  const rng = seededRng(3);
  let id = 1;
  for (let left = count; left > 0; left -= perSegment) {
    const records = Math.min(left, perSegment);
    const index = new Uint32Array(4 + records * 4);
    for (let at = 0; at < records; at += 1) {
      index[4 + at * 4] = rng() * 2 ** 32;
      index[5 + at * 4] = rng() * 2 ** 32;
      index[6 + at * 4] = (at * recordBytes) / 16;
      index[7 + at * 4] = recordBytes;
    }
    const body = new Uint8Array(index.buffer, 16);
    index[0] = 0x31_49_4c_54;
    index[1] = records;
    index[2] = crc32(body);
    const name = join(folder, `${String(id).padStart(8, '0')}.main`);
    await writeFile(`${name}.idx`, new Uint8Array(index.buffer));
    await (await open(`${name}.seg`, 'w')).close();
    await truncate(`${name}.seg`, records * recordBytes);
    id += 1;
  }
}

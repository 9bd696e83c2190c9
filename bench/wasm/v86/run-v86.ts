import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { V86 } from 'v86';

// A machine in a process of its own: node run-v86.ts BIOS VIDEO-BIOS KERNEL INITRAMFS. Prints what the
// machine prints of lines that begin with `> `, each after the milliseconds since the start.
const [bios = '', videoBios = '', kernel = '', initramfs = ''] = process.argv.slice(2);
const build = dirname(createRequire(import.meta.url).resolve('v86'));
const megabyte = 1024 * 1024;

function image(path: string): { readonly buffer: ArrayBuffer } {
  return { buffer: new Uint8Array(readFileSync(path)).buffer };
}

const emulator = new V86({
  wasm_path: join(build, 'v86.wasm'),
  bios: image(bios),
  vga_bios: image(videoBios),
  bzimage: image(kernel),
  initrd: image(initramfs),
  cmdline:
    'console=ttyS0 quiet loglevel=3 norandmaps panic=-1 mitigations=off tsc=reliable cryptomgr.notests isapnp=0 random.trust_cpu=on',
  memory_size: 512 * megabyte,
  vga_memory_size: 8 * megabyte,
  autostart: true,
  disable_keyboard: true,
  disable_mouse: true,
  disable_speaker: true,
});
let line = '';
emulator.add_listener('serial0-output-byte', (byte: number) => {
  const character = String.fromCharCode(byte);
  if (character !== '\n') {
    line += character;
    return;
  }
  const milliseconds = performance.now();
  // What the kernel says goes to standard error, for who looks why it did not start.
  const out = line.startsWith('> ') ? process.stdout : process.stderr;
  out.write(`${milliseconds.toFixed(1)} ${line.trimEnd()}\n`);
  const over = line.startsWith('> done');
  line = '';
  if (over) process.exit(0);
});

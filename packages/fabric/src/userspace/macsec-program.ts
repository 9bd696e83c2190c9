import { writeSync } from 'node:fs';
import { errorMessage, isRecord, isTaplineError } from '@tapline/base';
import { openLibc, linux } from './libc.ts';
import { MacsecDevice } from './macsec-device.ts';

/**
 * `node macsec-program.ts DEVICE PARENT INDEX MAC`, the last two the parent's: a MACsec device for a kernel that has none. It takes an
 * operation a line on its standard input, answers each, and ends with it; the device is gone then, and
 * nothing passes. One thread that waits in poll(2) for both interfaces and its input.
 */
const [dev = '', parent = '', parentIndex = '', mac = ''] = process.argv.slice(2);
const libc = openLibc();
const standardInput = 0;

try {
  serve(new MacsecDevice(libc, { dev, parent, index: Number(parentIndex), mac }));
} catch (error) {
  const code = isTaplineError(error) ? error.code : 'macsec_failed';
  answer({ error: { code, message: errorMessage(error) } });
  process.exitCode = 1;
}

function serve(device: MacsecDevice): void {
  answer({ ready: true });
  const fds = [standardInput, device.linkFd, device.tapFd];
  const descriptors = new Uint8Array(new ArrayBuffer(fds.length * 8));
  const view = new DataView(descriptors.buffer);
  for (const [index, fd] of fds.entries()) {
    view.setInt32(index * 8, fd, true);
    view.setInt16(index * 8 + 4, linux.pollIn, true);
  }
  const isReady = (index: number): boolean =>
    (view.getInt16(index * 8 + 6, true) & (linux.pollIn | linux.pollBroken)) !== 0;
  const input = new Uint8Array(new ArrayBuffer(65_536));
  const decoder = new TextDecoder();
  let rest = '';
  for (;;) {
    if (libc.poll(descriptors, fds.length, -1) <= 0) continue;
    if (isReady(1)) device.fromLink();
    if (isReady(2)) device.fromTap();
    if (!isReady(0)) continue;
    const length = libc.read(standardInput, input, input.length);
    if (length === 0) return;
    // Interrupted, or nothing there after all.
    if (length < 0) continue;
    const lines = (rest + decoder.decode(input.subarray(0, length), { stream: true })).split('\n');
    rest = lines.pop() ?? '';
    for (const line of lines) answer(reply(device, line));
  }
}

function reply(device: MacsecDevice, line: string): object {
  try {
    const request: unknown = JSON.parse(line);
    if (isRecord(request) && request['kind'] === 'show') return { show: device.show() };
    device.execute(request);
    return {};
  } catch (error) {
    // A line that cannot be read may have a key in it, which JSON's own message would show.
    const message = isTaplineError(error) ? error.message : 'the operation cannot be read';
    return { error: { code: 'macsec_operation_invalid', message } };
  }
}

function answer(message: object): void {
  writeSync(1, `${JSON.stringify(message)}\n`);
}

import type { Libc } from '../userspace/libc.ts';

/** NLMSG_ERROR, which also says that all went well. */
const answered = 2;
const bufferBytes = 65_536;

/** What the kernel has answered on a netlink socket that does not wait; `error` is 0 or negative. */
export function* netlinkAnswers(
  libc: Pick<Libc, 'read'>,
  fd: number,
): Generator<{ readonly sequence: number; readonly error: number }> {
  const buffer = Buffer.alloc(bufferBytes);
  for (;;) {
    const length = libc.read(fd, buffer, buffer.length);
    if (length <= 0) return;
    for (let at = 0; at + 20 <= length;) {
      const size = buffer.readUInt32LE(at);
      if (size < 20) return;
      if (buffer.readUInt16LE(at + 4) === answered) {
        yield { sequence: buffer.readUInt32LE(at + 8), error: buffer.readInt32LE(at + 16) };
      }
      at += (size + 3) & ~3;
    }
  }
}

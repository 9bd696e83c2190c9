import type { HostTerminal, WindowSize } from '@tapline/userland';
import type { ReadStream, WriteStream } from 'node:tty';

/** The terminal that this process has, raw for as long as a guest has it. */
export interface NodeTerminal extends HostTerminal, Disposable {}

export function openNodeTerminal(input: ReadStream, output: WriteStream): NodeTerminal {
  const size = (): WindowSize => ({ rows: output.rows, columns: output.columns });
  input.setRawMode(true);
  input.resume();
  return {
    size: size(),
    input: keysOf(input),
    output: (bytes) =>
      new Promise((resolve, reject) => {
        output.write(bytes, (error) => (error ? reject(error) : resolve()));
      }),
    onResize: (listener) => {
      const changed = (): void => listener(size());
      output.on('resize', changed);
      return () => output.off('resize', changed);
    },
    [Symbol.dispose]: () => {
      input.setRawMode(false);
      input.pause();
      input.unref();
    },
  };
}

async function* keysOf(input: ReadStream): AsyncGenerator<Uint8Array> {
  for await (const chunk of input.iterator({ destroyOnReturn: false })) {
    yield new Uint8Array(chunk as Buffer);
  }
}

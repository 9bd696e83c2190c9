import { errno, LinuxError } from '../errno.ts';
import { answerNames } from './answer-names.ts';
import type { HostNetwork } from './host-network.ts';
import type { Socket } from './socket.ts';
import type { SocketAddress } from './socket-address.ts';

const firstPort = 32_768;
const lastPort = 60_999;
const namePort = 53;

/** Who listens where among the guests, and the way out. */
export class Network {
  readonly host: HostNetwork | undefined;
  /** By kind of socket and port, or name without a file. */
  readonly #bound: Map<string, Socket> = new Map();
  #nextPort = firstPort;

  constructor(host: HostNetwork | undefined) {
    this.host = host;
  }

  /** Port 0 is any that is free. */
  bind(socket: Socket, address: SocketAddress): SocketAddress {
    if (address.kind === 'unix') {
      if (address.path === '' || address.path.charCodeAt(0) !== 0) return address;
      this.#take(`unix:${address.path}`, socket);
      return address;
    }
    const port = address.port === 0 ? this.#freePort(socket) : address.port;
    this.#take(`${socket.protocol}:${port}`, socket);
    return { ...address, port };
  }

  release(socket: Socket): void {
    for (const [key, bound] of this.#bound) if (bound === socket) this.#bound.delete(key);
  }

  find(protocol: string, address: SocketAddress): Socket | undefined {
    return this.#bound.get(
      address.kind === 'unix' ? `unix:${address.path}` : `${protocol}:${address.port}`,
    );
  }

  /** A packet to a name server is answered by the host, wherever the guest thinks that it is. */
  async answer(to: SocketAddress, bytes: Uint8Array): Promise<Uint8Array | undefined> {
    if (to.kind === 'unix' || to.port !== namePort || this.host === undefined) return undefined;
    const { host } = this;
    return await answerNames(bytes, (name) => host.resolve(name));
  }

  #take(key: string, socket: Socket): void {
    if (this.#bound.has(key)) throw new LinuxError(errno.addressInUse);
    this.#bound.set(key, socket);
  }

  #freePort({ protocol }: Socket): number {
    for (let tried = firstPort; tried <= lastPort; tried++) {
      const port = this.#nextPort++;
      if (this.#nextPort > lastPort) this.#nextPort = firstPort;
      if (!this.#bound.has(`${protocol}:${port}`)) return port;
    }
    throw new LinuxError(errno.addressInUse);
  }
}

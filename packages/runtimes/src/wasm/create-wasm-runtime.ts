import { join } from 'node:path';
import { ContainerRuntime, type ContainerRuntimeInit } from '../container-runtime.ts';
import type { Runtime } from '../runtime.ts';
import { createWasmStrategy, guestProgram } from './wasm-strategy.ts';

/** What it runs, whatever the machine is. */
export const wasmPlatform = 'linux/arm64';

export interface WasmRuntimeInit extends ContainerRuntimeInit {
  /** A bundle of `guest-program`; the one that comes with this program unless given. */
  readonly program?: string;
}

/** Runs images for linux/arm64 translated to WebAssembly, by no kernel's help and as any user. */
export async function createWasmRuntime(init: WasmRuntimeInit): Promise<Runtime> {
  const { program = guestProgram() } = init;
  return await ContainerRuntime.open(
    createWasmStrategy(program, join(init.directory, 'code')),
    init,
  );
}

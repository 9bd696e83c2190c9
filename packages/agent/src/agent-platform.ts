import { type Runtime, wasmPlatform } from '@tapline/runtimes';
import { hostPlatform } from './host-platform.ts';

/** What images of a device are for: its machine's, unless they are translated. */
export function agentPlatform(runtime: Runtime['name'] = 'runc'): string {
  return runtime === 'wasm' ? wasmPlatform : hostPlatform();
}

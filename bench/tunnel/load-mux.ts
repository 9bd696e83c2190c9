import type { BenchMux } from './bench-mux.ts';

/** A multiplexer by its name; only the one that is measured is loaded. */
export async function loadMux(name: string): Promise<BenchMux> {
  switch (name) {
    case 'tapline':
      return (await import('./muxes/create-tunnel-mux.ts')).createTunnelMux();
    case 'node:http2':
      return (await import('./muxes/http2-mux.ts')).http2Mux;
    case 'yamux':
      return (await import('./muxes/yamux-mux.ts')).yamuxMux;
    case 'raw TLS':
      return (await import('./muxes/raw-tls.ts')).rawTls;
    case 'paced TLS':
      return (await import('./muxes/paced-tls.ts')).pacedTls;
    default:
      throw new Error(`there is no multiplexer ${name}`);
  }
}

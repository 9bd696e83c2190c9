import { Counter, type Registry } from 'prom-client';
import type { TokenEvent } from '@tapline/registry';

/** What is counted around the embedded registry. */
export interface RegistryMetrics {
  token(outcome: TokenEvent['outcome']): void;
}

export function createRegistryMetrics(registry: Registry): RegistryMetrics {
  const registers = [registry];
  const tokens = new Counter({
    name: 'tapline_registry_tokens_total',
    help: 'Answers of the token server of the registry.',
    labelNames: ['outcome'],
    registers,
  });
  return {
    token: (outcome) => tokens.inc({ outcome }),
  };
}

import { cacheEngineContract } from '../testing/cache-engine-contract.ts';
import { startEdgeCache } from './start-edge-cache.ts';

cacheEngineContract('tapline', (channels) => startEdgeCache({ channels }));

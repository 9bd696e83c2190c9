import { enableCompileCache } from 'node:module';
import { homedir } from 'node:os';
import { join } from 'node:path';

// Compiled code is kept between runs: without it half of a short command's time is parsing. A
// folder of the user's own, because what lies in it is executed.
const cache = process.env['XDG_CACHE_HOME'] ?? join(homedir(), '.cache');
enableCompileCache(process.env['NODE_COMPILE_CACHE'] ?? join(cache, 'tapline', 'compiled'));

const { runMain } = await import('./run-main.ts');
await runMain();

import { runConsole } from './run-console.ts';
import { takeSecret } from './take-secret.ts';

void runConsole(takeSecret(globalThis));

// An address that is opened where the page is already only changes its fragment.
addEventListener('hashchange', () => location.reload());

// First: see there.
import './provide-disposal.ts';
import { errorMessage } from '@tapline/base';
import { takeToken } from './join-link.ts';
import { runDevice } from './run-device.ts';
import { showState } from './show-device.ts';

runDevice(takeToken(globalThis)).catch((error: unknown) =>
  showState('away', `this browser cannot be a device: ${errorMessage(error)}`),
);

// A link that is opened where the page is already only changes its fragment.
addEventListener('hashchange', () => location.reload());

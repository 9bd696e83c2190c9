import { buildVersion, createJsonLog, isTaplineError, systemClock } from '@tapline/base';
import { machinesOf } from '@tapline/guest-page';
import { createPageRuntime, type PageRuntime } from '../programs/page-runtime.ts';
import { type RunningPageAgent, startPageAgent } from '../start-page-agent.ts';
import { askToJoin } from './ask-to-join.ts';
import { element, setText } from './page-elements.ts';
import { showDevice, showRefusal, showState, showStorage } from './show-device.ts';
import { openTerminalPanel, type TerminalPanel } from './terminal-panel.ts';

const storage = 'tapline-device';
/** What its programs are for: AArch64, translated to WebAssembly. */
const platform = 'linux/arm64';
const otherTabMs = 2000;
const refreshMs = 5000;

/** The page of a control plane in which a browser is a device: joins, and then is one until it is closed. */
export async function runDevice(token: string | undefined): Promise<void> {
  const server = new URL(location.origin);
  for (;;) {
    try {
      return await beDevice(server);
    } catch (error) {
      if (isTaplineError(error, 'not_joined')) {
        await askToJoin(token, { server, storage, platform });
      } else if (isTaplineError(error, 'agent_running')) {
        showState('elsewhere', 'another tab of this browser is the device; this one waits for it');
        await systemClock.sleep(otherTabMs);
      } else throw error;
    }
  }
}

/** Answers once the page is the device, which it then stays. */
async function beDevice(server: URL): Promise<void> {
  // What comes later than the first that may ask for it.
  const late: { agent?: RunningPageAgent; runtime?: PageRuntime; panel?: TerminalPanel } = {};
  const show = (): void => {
    if (late.agent !== undefined) late.panel?.offer(showDevice(late.agent, server));
  };
  const started = await startPageAgent({
    server,
    storage,
    platform,
    version: buildVersion,
    log: createJsonLog({
      clock: systemClock,
      write: (line) => console.info(line.trimEnd()),
      level: 'info',
    }),
    programs(images) {
      const runtime = createPageRuntime({
        layers: (rootfs) => images.layers(rootfs),
        openWorker: () =>
          new Worker(new URL('container-worker.js', document.baseURI), { type: 'module' }),
        machines: machinesOf(navigator),
        clock: systemClock,
      });
      late.runtime = runtime;
      return runtime;
    },
    onConnected: () => {
      showState('connected', 'connected');
      show();
    },
    onDisconnected: () => showState('away', 'not connected: the connection was lost'),
    onRefused: showRefusal,
    onInstalls: show,
  });
  late.agent = started;
  if (started.session.epoch === undefined) showState('connecting', 'connecting');
  element('device', HTMLElement).hidden = false;
  if (late.runtime !== undefined) {
    late.panel = openTerminalPanel({ agent: started, runtime: late.runtime });
  }
  show();
  forgetOnAsk(started);
  void refresh(started, show);
}

/** What changes without an event: certificate and storage. */
async function refresh(agent: RunningPageAgent, show: () => void): Promise<void> {
  for (;;) {
    await showStorage(agent).catch(() => undefined);
    show();
    await systemClock.sleep(refreshMs);
  }
}

/** Asked twice, the page lets its control plane be, and keeps nothing. */
function forgetOnAsk(agent: RunningPageAgent): void {
  const button = element('forget', HTMLButtonElement);
  let isSure = false;
  button.addEventListener('click', () => {
    if (isSure) void forget(agent);
    isSure = true;
    setText(button, 'Forget it: its key and its packages are deleted here');
  });
}

async function forget(agent: RunningPageAgent): Promise<void> {
  await agent[Symbol.asyncDispose]();
  const deleting = indexedDB.deleteDatabase(storage);
  await new Promise((resolve) => {
    deleting.addEventListener('success', resolve);
    deleting.addEventListener('error', resolve);
  });
  location.reload();
}

import { deviceResource } from '@tapline/resources';
import { chmod } from 'node:fs/promises';
import { eventually, temporaryFolder } from '@tapline/testing';
import { type BottleMirror, startBottleMirror } from '../../tools/bottle-mirror/bottle-mirror.ts';
import type { Fault } from '../../tools/bottle-mirror/fault.ts';
import type { PlatformTag } from '../../tools/bottle-mirror/platform.ts';
import { mountsBelow, processesOf } from './containers.ts';
import { type ControlPlaneProcess, startControlPlaneProcess } from './control-plane-process.ts';
import {
  type DeviceProcess,
  type DeviceProcessInit,
  startDeviceProcess,
} from './device-process.ts';
import { type CommandOptions, type CommandResult, runTapline } from './run-tapline.ts';

/** Everything Tapline is, as processes of its own on this machine. */
export interface System extends AsyncDisposable {
  readonly folder: string;
  readonly controlPlane: ControlPlaneProcess;
  readonly devices: readonly DeviceProcess[];
  readonly mirror: RestartableMirror;
  /** What names this system to its commands. */
  readonly environment: Readonly<Record<string, string>>;
  /** Runs a command of the administrator. */
  readonly tapline: (words: readonly string[], options?: CommandOptions) => Promise<CommandResult>;
  /** Has another device join. */
  addDevice(init: AddedDevice): Promise<DeviceProcess>;
}

type AddedDevice = Pick<DeviceProcessInit, 'name' | 'env' | 'flags' | 'labels'>;

/** A mirror that can go away and come back at the same address. */
export interface RestartableMirror extends AsyncDisposable {
  readonly url: string;
  readonly environment: BottleMirror['environment'];
  stop(): Promise<void>;
  start(): Promise<void>;
}

export interface SystemOptions {
  /** Their names; all have the label team=design. */
  readonly devices?: readonly string[];
  /** What the mirror serves; jq unless given. */
  readonly formulae?: readonly string[];
  readonly faults?: readonly Fault[];
  /** What the mirror has bottles for; this machine's platform unless given. */
  readonly platforms?: readonly PlatformTag[];
  /** Environment of the control plane. */
  readonly env?: Readonly<Record<string, string>>;
}

/** Starts a mirror, a control plane and devices that have joined; fails where disposing leaves something. */
export async function startSystem(options: SystemOptions = {}): Promise<System> {
  const { devices: names = [], formulae = ['jq'], faults = [], platforms = [platform] } = options;
  await using opened = new AsyncDisposableStack();
  const { path: folder } = opened.use(await temporaryFolder());
  // As on a device, where containers in user namespaces have to pass through it.
  await chmod(folder, 0o711);
  opened.defer(() => nothingIsLeft(folder));
  const mirror = opened.use(await startMirror({ formulae, faults, platforms }));
  const environment = {
    ...mirror.environment,
    TAPLINE_KUBECONFIG: `${folder}/control-plane/admin.kubeconfig`,
    XDG_CONFIG_HOME: `${folder}/config`,
  };
  const controlPlane = opened.use(
    await startControlPlaneProcess(folder, { ...environment, ...options.env }),
  );

  function tapline(words: readonly string[], more: CommandOptions = {}): Promise<CommandResult> {
    return runTapline(words, { ...more, env: { ...environment, ...more.env } });
  }

  async function addDevice(init: AddedDevice): Promise<DeviceProcess> {
    const { code, out, err } = await tapline(['token', 'create']);
    if (code !== 0) throw new Error(`no token: ${err}`);
    const server = controlPlane.url;
    const token = out.trim();
    await using device = new AsyncDisposableStack();
    const started = device.use(await startDeviceProcess({ ...init, folder, server, token }));
    await eventually(`${init.name} is connected`, async () => {
      const { status } = await controlPlane.client.get(deviceResource, init.name);
      return status?.presence?.connected;
    });
    device.move();
    return started;
  }

  const devices: DeviceProcess[] = [];
  for (const name of names) devices.push(opened.use(await addDevice({ name })));
  const owned = opened.move();
  return {
    folder,
    controlPlane,
    devices,
    mirror,
    environment,
    tapline,
    addDevice: async (init) => owned.use(await addDevice(init)),
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  };
}

/** The mirror's name for the platform of this machine. */
export const platform: PlatformTag = process.arch === 'arm64' ? 'arm64_linux' : 'x86_64_linux';

async function startMirror(content: {
  readonly formulae: readonly string[];
  readonly faults: readonly Fault[];
  readonly platforms: readonly PlatformTag[];
}): Promise<RestartableMirror> {
  let running: BottleMirror | undefined = await startBottleMirror(content);
  const { url, environment } = running;
  const stop = async (): Promise<void> => {
    await running?.[Symbol.asyncDispose]();
    running = undefined;
  };
  return {
    url,
    environment,
    stop,
    async start() {
      running = await startBottleMirror({ ...content, port: Number(new URL(url).port) });
    },
    [Symbol.asyncDispose]: stop,
  };
}

/** Ends a test in failure that leaves a process or a mount behind. */
async function nothingIsLeft(folder: string): Promise<void> {
  const left = (): readonly string[] => [...processesOf(folder), ...mountsBelow(folder)];
  try {
    await eventually(`nothing is left of ${folder}`, () => left().length === 0, {
      withinMs: 10_000,
    });
  } catch (cause) {
    throw new Error(`left behind: ${left().join('; ')}`, { cause });
  }
}

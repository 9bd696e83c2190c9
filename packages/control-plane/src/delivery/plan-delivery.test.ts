import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { explainPlan, formatPlan } from '@tapline/reconcile';
import {
  type Delivery,
  type DeliverySpec,
  type Device,
  findCondition,
  type Install,
  type InstallStatus,
  type Package,
  type PackageStatus,
} from '@tapline/resources';
import { describeDeliveryStep } from './delivery-step.ts';
import { installBody } from './install-body.ts';
import { type DeliveryObservation, type DeliveryPlan, planDelivery } from './plan-delivery.ts';

const startMs = Date.UTC(2026, 0, 1);
const digest = `sha256:${'a'.repeat(64)}`;

/** A delivery with its devices in memory: plans are read as text, and executed by the letter. */
class Rollout {
  nowMs = startMs;
  delivery: Delivery;
  package: Package | undefined;
  readonly devices = new Map<string, Device>();
  readonly installs = new Map<string, Install>();
  older: Delivery | undefined;

  constructor(spec: Partial<DeliverySpec> = {}) {
    const wanted = { package: { formula: 'jq' }, selector: {}, rollout: 1, ...spec };
    this.delivery = {
      apiVersion: 'tapline.dev/v1alpha1',
      kind: 'Delivery',
      metadata: { name: 'jq', uid: 'u-jq', generation: 1, creationTimestamp: iso(startMs) },
      spec: wanted,
    };
  }

  device(name: string, options: { connected?: boolean; platform?: string } = {}): this {
    const { connected = true, platform = 'linux/amd64' } = options;
    this.devices.set(name, {
      apiVersion: 'tapline.dev/v1alpha1',
      kind: 'Device',
      metadata: { name },
      spec: { platform, role: 'device' },
      status: { presence: { connected, epoch: 1, since: iso(startMs - 60_000) } },
    });
    return this;
  }

  presence(name: string, connected: boolean): this {
    const device = this.devices.get(name);
    if (device === undefined) throw new Error(`no device ${name}`);
    const presence = { connected, epoch: 2, since: iso(this.nowMs) };
    this.devices.set(name, { ...device, status: { presence } });
    return this;
  }

  built(options: Partial<PackageStatus> & { platforms?: string[]; version?: string } = {}): this {
    const { platforms = ['linux/amd64'], version = '1.7.1', ...status } = options;
    this.package = {
      apiVersion: 'tapline.dev/v1alpha1',
      kind: 'Package',
      metadata: { name: 'jq', generation: 1 },
      spec: { formula: 'jq', platforms: ['linux/amd64', 'linux/arm64'] },
      status: {
        observedGeneration: 1,
        version,
        repository: 'jq',
        resolvedAt: iso(this.nowMs),
        images: platforms.map((platform) => ({
          platform,
          digest,
          sizeBytes: 1,
          unpackedBytes: 2,
          layers: 2,
        })),
        conditions: [condition('Published', 'True', 'Published')],
        ...status,
      },
    };
    return this;
  }

  plan(): DeliveryPlan {
    const seen: DeliveryObservation = {
      delivery: this.delivery,
      package: this.package,
      devices: [...this.devices.values()],
      installs: [...this.installs.values()],
      winner: () => this.older,
      notifiedSeconds: () => undefined,
      packageMaxAgeMs: 600_000,
      nowMs: this.nowMs,
    };
    return planDelivery(seen);
  }

  text(): string {
    return formatPlan(explainPlan(this.plan(), describeDeliveryStep));
  }

  /** Executes the plan once; gives back its text. */
  step(): string {
    const plan = this.plan();
    for (const step of plan.steps) {
      if (step.kind === 'create-install' || step.kind === 'update-install') {
        const body = installBody(this.delivery, step.device, { ...plan, nowMs: this.nowMs });
        const { name } = body.metadata;
        const status = step.kind === 'update-install' ? step.install.status : undefined;
        this.installs.set(name, {
          apiVersion: 'tapline.dev/v1alpha1',
          kind: 'Install',
          ...body,
          metadata: { ...body.metadata, creationTimestamp: iso(this.nowMs) },
          ...(status === undefined ? {} : { status }),
        });
      }
      if (step.kind === 'delete-install') this.installs.delete(step.install.metadata.name);
    }
    this.delivery = { ...this.delivery, status: plan.status };
    return formatPlan(explainPlan(plan, describeDeliveryStep));
  }

  /** Devices answer: their Installs reach a state at the revision they carry. */
  answer(state: 'Ready' | 'Failed' | 'RolledBack' | 'Pulling', ...names: string[]): this {
    for (const name of names) {
      const install = this.installs.get(`${name}.jq`);
      if (install === undefined) throw new Error(`no install for ${name}`);
      const status: InstallStatus = {
        observedRevision: install.spec.revision,
        state,
        ...(state === 'Ready' ? { stages: { pulled: 0.1, ready: 0.2, total: 0.3 } } : {}),
        ...(state === 'Ready' || state === 'Pulling'
          ? {}
          : { error: { code: 'health_failed', message: `exit code 1 on ${name}` } }),
      };
      this.installs.set(`${name}.jq`, { ...install, status });
    }
    return this;
  }

  spec(change: Partial<DeliverySpec>): this {
    this.delivery = { ...this.delivery, spec: { ...this.delivery.spec, ...change } };
    return this;
  }

  reason(type: 'Ready' | 'Progressing' | 'Degraded'): string | undefined {
    return findCondition(this.delivery.status?.conditions, type)?.reason;
  }
}

function iso(ms: number): string {
  return new Date(ms).toISOString();
}

function condition(type: string, status: 'True' | 'False' | 'Unknown', reason: string) {
  return { type, status, reason, message: reason, lastTransitionTime: iso(startMs) };
}

const waves = { waves: [1, '50%', '100%'], quorum: '100%', errorBudget: 0 };
const staged = { strategy: { ...waves, progressDeadlineSeconds: 600 } };

describe('planDelivery', () => {
  it('creates the package for the platforms that its devices have', () => {
    const rollout = new Rollout().device('d1').device('d2', { platform: 'linux/arm64' });
    expect(rollout.step()).toBe(
      'do    accept revision 1\n' +
        'do    create package jq: jq what Homebrew serves for linux/amd64, linux/arm64\n' +
        'wait  package jq: it is being created\n',
    );
    expect(rollout.reason('Progressing')).toBe('WaitingForPackage');
  });

  it('pins and installs in one pass where the package is there', () => {
    const rollout = new Rollout().device('d1').built();
    expect(rollout.step()).toBe(
      'do    accept revision 1\n' +
        'do    pin revision 1 to 1.7.1 for linux/amd64\n' +
        'do    create install d1.jq\n',
    );
    expect(rollout.text()).toBe('wait  device d1: the device reports Pending\n');
    rollout.answer('Ready', 'd1').step();
    expect(rollout.text()).toBe('converged: nothing to do\n');
    expect(rollout.reason('Ready')).toBe('Complete');
    expect(rollout.delivery.status?.history?.[0]?.outcome).toBe('Complete');
    expect(rollout.delivery.status?.stages).toContainEqual({
      name: 'total',
      p50Seconds: 0.3,
      p99Seconds: 0.3,
    });
  });

  it('waits for a package with its reason and surfaces a permanent failure', () => {
    const error = { code: 'formula_not_found', message: 'formula jqq does not exist' };
    const rollout = new Rollout().device('d1');
    rollout.built({ images: [], conditions: [condition('Published', 'Unknown', 'Building')] });
    expect(rollout.step()).toContain('wait  package jq: Building');
    rollout.built({ images: [], error, conditions: [condition('Published', 'False', 'Failed')] });
    expect(rollout.step()).toBe(
      'wait  package of jq: formula_not_found: formula jqq does not exist\n',
    );
    expect(rollout.reason('Ready')).toBe('PackageFailed');
    expect(rollout.delivery.status?.error?.code).toBe('formula_not_found');
  });

  it('asks for another platform when a device has one', () => {
    const rollout = new Rollout().device('d1').built();
    rollout.step();
    rollout.device('d2', { platform: 'linux/riscv64' });
    expect(rollout.step()).toContain('do    build package jq also for linux/riscv64\n');
    expect(rollout.delivery.status?.counts?.failed).toBe(0);
  });

  it('adds an image of the same version to a revision when a platform appears', () => {
    const rollout = new Rollout().device('d1').built();
    rollout.step();
    rollout.device('d2', { platform: 'linux/arm64' });
    rollout.built({ platforms: ['linux/amd64', 'linux/arm64'] });
    expect(rollout.step()).toContain(
      'do    pin revision 1 to 1.7.1 for linux/amd64, linux/arm64\ndo    create install d2.jq',
    );
  });

  it('counts a device without an image as failed and serves the others', () => {
    const rollout = new Rollout().device('d1').device('d2', { platform: 'linux/arm64' }).built();
    expect(rollout.step()).toBe(
      'do    accept revision 1\n' +
        'do    pin revision 1 to 1.7.1 for linux/amd64\n' +
        'do    create install d1.jq\n' +
        'wait  device d2: no_image_for_platform: jq has no image for linux/arm64, the platform of device d2\n',
    );
    expect(rollout.delivery.status?.counts).toMatchObject({ failed: 1, updated: 1 });
    expect(rollout.reason('Degraded')).toBe('DevicesFailed');
  });

  it('goes wave by wave, each gated by its quorum', () => {
    const rollout = new Rollout(staged).built();
    for (const name of ['d1', 'd2', 'd3', 'd4']) rollout.device(name);
    rollout.step();
    const [first] = installed(rollout);
    expect(installed(rollout)).toHaveLength(1);
    expect(rollout.text()).toContain(
      'wait  wave 1 of 3: 0 of 1 reachable devices are ready, 1 needed to go on\n',
    );
    rollout.answer('Ready', first ?? '').step();
    expect(installed(rollout)).toHaveLength(2);
    expect(rollout.delivery.status?.wave).toEqual({ current: 2, total: 3 });
    rollout.answer('Ready', ...installed(rollout)).step();
    expect(installed(rollout)).toHaveLength(4);
    expect(rollout.delivery.status?.wave).toEqual({ current: 3, total: 3 });
  });

  it('does not wait for the slow ones below a quorum', () => {
    const strategy = { ...staged.strategy, waves: [2, '100%'], quorum: '50%' };
    const rollout = new Rollout({ strategy }).built();
    for (const name of ['d1', 'd2', 'd3', 'd4']) rollout.device(name);
    rollout.step();
    expect(installed(rollout)).toHaveLength(2);
    rollout.answer('Ready', installed(rollout)[0] ?? '').step();
    expect(installed(rollout)).toHaveLength(4);
  });

  it('neither waits for offline devices nor lets them fill a wave', () => {
    const rollout = new Rollout(staged).built();
    rollout.device('on1').device('on2');
    for (const name of ['off1', 'off2']) rollout.device(name, { connected: false });
    rollout.step();
    expect(installed(rollout)).toHaveLength(1);
    rollout.answer('Ready', ...installed(rollout)).step();
    rollout.answer('Ready', ...installed(rollout)).step();
    expect(installed(rollout)).toHaveLength(4);
    rollout.step();
    expect(rollout.reason('Ready')).toBe('CompleteExceptOffline');
    expect(rollout.text()).toBe(
      'wait  2 devices off1, off2: offline; they converge when they return\n',
    );
    rollout.presence('off1', true).step();
    expect(rollout.reason('Ready')).toBe('RollingOut');
    rollout.answer('Ready', 'off1', 'off2').step();
    expect(rollout.reason('Ready')).toBe('Complete');
  });

  it('gives every device of one wave its install at once, offline ones too', () => {
    const rollout = new Rollout().built().device('on').device('off', { connected: false });
    rollout.step();
    expect(installed(rollout)).toEqual(['on', 'off']);
  });

  it('does not skip waves because everybody is away for a moment', () => {
    const rollout = new Rollout(staged).built();
    for (const name of ['d1', 'd2', 'd3', 'd4']) rollout.device(name);
    rollout.step();
    rollout.answer('Ready', ...installed(rollout)).step();
    rollout.nowMs += 60_000;
    for (const name of rollout.devices.keys()) rollout.presence(name, false);
    rollout.step();
    expect(installed(rollout)).toHaveLength(2);
    expect(rollout.plan().requeueAfterMs).toBe(10_000);
  });

  it('stops when the error budget is spent, naming the numbers', () => {
    const strategy = { ...staged.strategy, waves: ['50%', '100%'], errorBudget: 1 };
    const rollout = new Rollout({ strategy }).built();
    for (const name of ['d1', 'd2', 'd3', 'd4', 'd5', 'd6']) rollout.device(name);
    rollout.step();
    const [a = '', b = '', c = ''] = installed(rollout);
    rollout.answer('Failed', a).step();
    expect(rollout.reason('Degraded')).toBe('DevicesFailed');
    rollout.answer('RolledBack', b).answer('Ready', c).step();
    expect(rollout.text()).toContain(
      `wait  rollout: stopped: 2 of 6 devices failed (${[a, b].toSorted().join(', ')}); the error budget is 1\n`,
    );
    expect(installed(rollout)).toHaveLength(3);
    expect(rollout.reason('Degraded')).toBe('ErrorBudgetExhausted');
    expect(rollout.reason('Progressing')).toBe('ErrorBudgetExhausted');
    expect(rollout.delivery.status?.history?.[0]?.outcome).toBe('Failed');
  });

  it('does not pass a wave whose every device failed, whatever the budget', () => {
    const strategy = { ...staged.strategy, waves: [1, '100%'], errorBudget: '50%' };
    const rollout = new Rollout({ strategy }).built();
    for (const name of ['d1', 'd2', 'd3', 'd4']) rollout.device(name);
    rollout.step();
    rollout.answer('Failed', ...installed(rollout)).step();
    expect(installed(rollout)).toHaveLength(1);
    expect(rollout.reason('Degraded')).toBe('WaveFailed');
  });

  it('goes on within the error budget', () => {
    const strategy = { ...staged.strategy, waves: [2, '100%'], errorBudget: 1 };
    const rollout = new Rollout({ strategy }).built();
    for (const name of ['d1', 'd2', 'd3', 'd4']) rollout.device(name);
    rollout.step();
    const [a = '', b = ''] = installed(rollout);
    rollout.answer('Failed', a).answer('Ready', b).step();
    expect(installed(rollout)).toHaveLength(4);
    rollout.answer('Ready', ...installed(rollout).filter((name) => name !== a)).step();
    expect(rollout.reason('Ready')).toBe('CompleteWithinErrorBudget');
    expect(rollout.reason('Degraded')).toBe('DevicesFailed');
  });

  it('counts a reachable device as failed after the progress deadline, an offline one never', () => {
    const rollout = new Rollout().built().device('slow').device('off', { connected: false });
    rollout.step();
    expect(rollout.plan().requeueAfterMs).toBe(600_000);
    rollout.nowMs += 600_000;
    rollout.answer('Pulling', 'slow').step();
    expect(rollout.text()).toContain(
      'wait  device slow: progress_deadline_exceeded: device slow is connected but not ready after 600 s (state Pulling)\n',
    );
    expect(rollout.delivery.status?.counts).toMatchObject({ failed: 1, offline: 1 });
    rollout.presence('off', true);
    expect(rollout.plan().requeueAfterMs).toBe(600_000);
  });

  it('holds where it stands while paused, a new spec included', () => {
    const rollout = new Rollout(staged).built().device('d1').device('d2');
    rollout.step();
    rollout.answer('Ready', ...installed(rollout)).spec({ paused: true, rollout: 2 });
    expect(rollout.step()).toContain('wait  delivery jq: spec.paused is true\n');
    expect(rollout.delivery.status?.revision).toBe(1);
    expect(installed(rollout)).toHaveLength(1);
    rollout.spec({ paused: false });
    expect(rollout.text()).toContain('do    accept revision 2\n');
  });

  it('accepts a revision when version, run, health or rollout change, and for nothing else', () => {
    const health = {
      command: ['jq', '--help'],
      timeoutSeconds: 1,
      attempts: 1,
      intervalSeconds: 1,
    };
    const rollout = new Rollout().built().device('d1');
    rollout.step();
    rollout.answer('Ready', 'd1').step();
    for (const change of [
      { rollout: 2 },
      { run: { command: ['jq'], restart: 'Always' as const } },
      { health },
      { limits: { pids: 5 } },
    ]) {
      const before = rollout.delivery.status?.revision ?? 0;
      expect(rollout.spec(change).step()).toContain(`do    accept revision ${before + 1}\n`);
      expect(rollout.text()).not.toContain('accept');
      rollout.answer('Ready', 'd1').step();
    }
    rollout.spec({ strategy: staged.strategy, selector: { matchLabels: {} } });
    expect(rollout.text()).toBe('converged: nothing to do\n');
  });

  it('updates the install of an older revision and marks it superseded', () => {
    const rollout = new Rollout().built().device('d1');
    rollout.step();
    rollout.spec({ rollout: 2 });
    expect(rollout.step()).toContain('do    update install d1.jq\n');
    expect(rollout.installs.get('d1.jq')?.spec.revision).toBe(2);
    expect(rollout.delivery.status?.history?.map(({ outcome }) => outcome)).toEqual([
      'Progressing',
      'Superseded',
    ]);
  });

  it('keeps the ten newest rollouts', () => {
    const rollout = new Rollout().built().device('d1');
    for (let count = 1; count <= 12; count += 1) rollout.spec({ rollout: count }).step();
    expect(rollout.delivery.status?.history?.map(({ revision }) => revision)).toEqual([
      12, 11, 10, 9, 8, 7, 6, 5, 4, 3,
    ]);
  });

  it('never reuses a revision that a crash left on installs alone', () => {
    const rollout = new Rollout().built().device('d1');
    const before = rollout.delivery;
    rollout.step();
    rollout.delivery = before;
    expect(rollout.text()).toContain('do    accept revision 2\n');
  });

  it('removes installs of devices that are no longer selected', () => {
    const rollout = new Rollout().built().device('d1').device('d2');
    rollout.step();
    rollout.devices.delete('d2');
    expect(rollout.step()).toContain('do    delete install d2.jq: device d2 is not selected\n');
    expect(installed(rollout)).toEqual(['d1']);
  });

  it('leaves a device to the older of two deliveries and names both', () => {
    const rollout = new Rollout().built().device('d1');
    rollout.step();
    rollout.older = { ...rollout.delivery, metadata: { name: 'tools', uid: 'u-tools' } };
    const conflict =
      'deliveries tools and jq both want jq on device d1; the older one, tools, keeps it';
    expect(rollout.step()).toBe(
      `do    delete install d1.jq: ${conflict}\nwait  device d1: install_conflict: ${conflict}\n`,
    );
    expect(rollout.reason('Degraded')).toBe('InstallConflict');
    rollout.older = undefined;
    expect(rollout.text()).toContain('do    create install d1.jq\n');
  });

  it('replaces the install of a younger delivery by a new one', () => {
    const rollout = new Rollout().built().device('d1');
    rollout.step();
    const install = rollout.installs.get('d1.jq');
    if (install === undefined) throw new Error('no install');
    rollout.installs.set('d1.jq', { ...install, spec: { ...install.spec, delivery: 'younger' } });
    expect(rollout.step()).toContain(
      'do    delete install d1.jq: delivery younger made it, and jq is the older one\n',
    );
    expect(rollout.step()).toBe('do    create install d1.jq\n');
  });

  it('resolves an old package again, but goes on with it where Homebrew is unreachable', () => {
    const rollout = new Rollout().device('d1').built();
    rollout.nowMs += 3_600_000;
    expect(rollout.text()).toContain('do    resolve package jq again\n');
    const error = { code: 'homebrew_unreachable', message: 'no route' };
    rollout.built({ error, resolvedAt: iso(startMs) });
    expect(rollout.text()).toContain('do    create install d1.jq\n');
  });

  it('says that nothing is selected', () => {
    const rollout = new Rollout();
    rollout.step();
    expect(rollout.reason('Ready')).toBe('NoDevices');
  });

  it('converges from any order of answers, losses and returns', () => {
    const event = fc.tuple(
      fc.constantFrom('ready', 'off', 'on', 'crash', 'rollout', 'pulling', 'wait'),
      fc.nat(5),
    );
    fc.assert(
      fc.property(fc.array(event, { maxLength: 40 }), (events) => {
        const rollout = new Rollout(staged).built();
        for (let index = 0; index < 6; index += 1) rollout.device(`d${index}`);
        const revisions = new Map<string, number>();
        for (const [kind, index] of events) {
          const name = `d${index}`;
          const before = rollout.delivery;
          if (kind === 'off' || kind === 'on') rollout.presence(name, kind === 'on');
          else if (kind === 'wait') rollout.nowMs += 15_000;
          else if (kind === 'rollout') {
            rollout.spec({ rollout: rollout.delivery.spec.rollout + 1 });
          } else if (kind !== 'crash' && rollout.installs.has(`${name}.jq`)) {
            rollout.answer(kind === 'ready' ? 'Ready' : 'Pulling', name);
          }
          rollout.step();
          for (const { metadata, spec } of rollout.installs.values()) {
            expect(spec.revision).toBeGreaterThanOrEqual(revisions.get(metadata.name) ?? 0);
            revisions.set(metadata.name, spec.revision);
          }
          // Killed between the Installs and the status: the Installs are there, the status is not.
          if (kind === 'crash') rollout.delivery = before;
        }
        for (const name of rollout.devices.keys()) rollout.presence(name, true);
        for (let turn = 0; turn < 4; turn += 1) {
          rollout.answer('Ready', ...installed(rollout)).step();
        }
        rollout.answer('Ready', ...installed(rollout)).step();
        expect(rollout.reason('Ready')).toBe('Complete');
        expect(rollout.text()).toBe('converged: nothing to do\n');
      }),
      { numRuns: 200 },
    );
  });
});

function installed(rollout: Rollout): string[] {
  return [...rollout.installs.values()].map(({ spec }) => spec.device);
}

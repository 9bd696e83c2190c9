import { setTimeout as delay } from 'node:timers/promises';
import type { HttpClient } from '../../packages/client/src/index.ts';
import {
  deliveryResource,
  type DeliverySpec,
  type Install,
  installResource,
} from '../../packages/resources/src/index.ts';

const pollMs = 5;
const settleMs = 30;

/** Rolls a delivery out again and again, and times each device from the request to ready. */
export class Rollouts implements AsyncDisposable {
  readonly #client: HttpClient;
  readonly #name: string;
  readonly #stopping = new AbortController();
  readonly #watching: Promise<void>;
  #onInstall: (install: Install) => void = () => undefined;

  private constructor(client: HttpClient, name: string) {
    this.#client = client;
    this.#name = name;
    this.#watching = this.#watch();
  }

  static async create(
    client: HttpClient,
    spec: DeliverySpec & { readonly name: string },
  ): Promise<Rollouts> {
    const { name, ...rest } = spec;
    const rollouts = new Rollouts(client, name);
    await client.create(deliveryResource, { metadata: { name }, spec: rest });
    return rollouts;
  }

  /**
   * Raises the rollout; answers for each device the ms from sending that request until its Install
   * was seen ready at the new revision. Rejects when not all are after `timeoutMs`.
   */
  async again(devices: number, timeoutMs: number): Promise<readonly number[]> {
    const { rollout, revision } = await this.#settled();
    return await this.#follow({ devices, timeoutMs, revision: revision + 1 }, () =>
      this.#client.patch(deliveryResource, this.#name, {
        kind: 'merge',
        body: { spec: { rollout: rollout + 1 } },
      }),
    );
  }

  /** Waits until the rollout before this one is written up, so that its end disturbs no figure. */
  async #settled(): Promise<{ readonly rollout: number; readonly revision: number }> {
    for (;;) {
      const { metadata, spec, status } = await this.#client.get(deliveryResource, this.#name);
      const ready = status?.conditions?.find((condition) => condition.type === 'Ready');
      if (status?.observedGeneration === metadata.generation && ready?.status === 'True') {
        await delay(settleMs);
        return { rollout: spec.rollout, revision: status?.revision ?? 0 };
      }
      await delay(pollMs);
    }
  }

  /** The same for the first rollout, whose request was sent at creation. */
  async first(devices: number, timeoutMs: number): Promise<readonly number[]> {
    return await this.#follow({ devices, timeoutMs, revision: 1 }, () => Promise.resolve());
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#stopping.abort();
    await this.#watching;
    await this.#client.delete(deliveryResource, this.#name);
  }

  async #follow(
    expected: { readonly devices: number; readonly timeoutMs: number; readonly revision: number },
    begin: () => Promise<unknown>,
  ): Promise<readonly number[]> {
    const { devices, timeoutMs, revision } = expected;
    const ready = new Map<string, number>();
    const done = Promise.withResolvers<void>();
    const timer = setTimeout(
      () =>
        done.reject(
          new Error(`${ready.size} of ${devices} devices were ready after ${timeoutMs} ms`),
        ),
      timeoutMs,
    );
    const began = performance.now();
    this.#onInstall = ({ spec, status }) => {
      if (status?.observedRevision !== revision || ready.has(spec.device)) return;
      if (status.state === 'Failed' || status.state === 'RolledBack') {
        done.reject(new Error(`${spec.device}: ${status.error?.message}`));
      }
      if (status.state !== 'Ready') return;
      ready.set(spec.device, performance.now() - began);
      if (ready.size === devices) done.resolve();
    };
    try {
      await begin();
      const { items } = await this.#client.list(installResource, {
        fieldSelector: `spec.delivery=${this.#name}`,
      });
      for (const install of items) this.#onInstall(install);
      await done.promise;
    } finally {
      clearTimeout(timer);
    }
    return [...ready.values()];
  }

  async #watch(): Promise<void> {
    const { signal } = this.#stopping;
    try {
      const events = this.#client.watch(installResource, {
        fieldSelector: `spec.delivery=${this.#name}`,
        signal,
      });
      for await (const event of events) {
        if (event.kind === 'added' || event.kind === 'modified') this.#onInstall(event.object);
      }
    } catch (error) {
      if (!signal.aborted) throw error;
    }
  }
}

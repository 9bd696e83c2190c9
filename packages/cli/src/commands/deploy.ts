import { isTaplineError, splitWords, systemRng, TaplineError } from '@tapline/base';
import type { ResourceClient } from '@tapline/client';
import {
  type Delivery,
  deliveryResource,
  type DeliverySpec,
  formulaObjectName,
} from '@tapline/resources';
import { traceParentAnnotation } from '@tapline/telemetry';
import { connect } from '../connection/connect.ts';
import { connectionFlags } from '../connection/connection-flags.ts';
import { parseLabels } from '../connection/parse-labels.ts';
import { inTrace } from '../delivery/command-trace.ts';
import { strategyFlags, waitFlags } from '../delivery/delivery-flags.ts';
import { finishDelivery } from '../delivery/finish-delivery.ts';
import {
  type PackageReference,
  parsePackageReference,
  resolvePackageReference,
} from '../delivery/package-reference.ts';
import { parseSelector } from '../delivery/parse-selector.ts';
import { defineCommand, type Command } from '../framework/command.ts';
import type { Console } from '../framework/console.ts';
import { durationFlag, integerFlag, listFlag, textFlag } from '../framework/flag.ts';
import { outputFlags } from '../output/output-flags.ts';

const defaultHealthTimeoutMs = 10_000;

const flags = {
  to: listFlag('Which devices, by their labels; or all', { valueName: 'SELECTOR' }),
  version: textFlag('Which version; absent what Homebrew serves now', { valueName: 'VERSION' }),
  name: textFlag('Name of the delivery; absent the formula', { valueName: 'NAME' }),
  ...waitFlags,
  ...strategyFlags,
  health: textFlag('What must succeed on the device, as a command line', { valueName: 'COMMAND' }),
  healthTimeout: durationFlag('After this the check that --health names has failed', {
    default: `${defaultHealthTimeoutMs / 1000}s`,
  }),
  restart: textFlag('When to start again what runs', { choices: ['Always', 'OnFailure', 'Never'] }),
  memory: integerFlag('Most memory in MiB; 0 is no limit', { min: 0, max: 16_777_216, default: 0 }),
  pids: integerFlag('Most processes and threads; 0 is no limit', {
    min: 0,
    max: 4_194_304,
    default: 0,
  }),
  network: textFlag('Which network the program sees', { choices: ['None', 'Host'] }),
  segment: textFlag('The segment that is all the network the program has; its devices are nodes', {
    valueName: 'NAME',
  }),
  segmentLabel: listFlag("Labels of the program's port, which the segment's rules select by", {
    valueName: 'KEY=VALUE',
  }),
  output: outputFlags.output,
  ...connectionFlags,
};

export const deploy: Command = defineCommand({
  summary: 'Deliver a Homebrew formula to devices',
  description:
    'Creates or changes a delivery. The same again rolls the package out again, checks included. A program after -- is kept running on each device.',
  examples: [
    {
      command: 'tapline deploy jq --to team=design --wait',
      explains: 'and show the time of each stage',
    },
    {
      command: 'tapline deploy jq@1.7.1 --to team=design --wave 1,10%,100%',
      explains: 'a version, in waves',
    },
    {
      command: 'tapline deploy bash --to role=edge -- bash -c "while :; do date; sleep 9; done"',
      explains: 'keep a program running',
    },
    {
      command:
        'tapline deploy bash --to role=telemetry --segment news --segment-label app=probe -- bash -c "while :; do date; sleep 9; done"',
      explains: 'a program that reaches whom its segment lets it reach, and nobody else',
    },
    {
      command: 'tapline deploy curl --to all --health "curl --version"',
      explains: 'with another check',
    },
  ],
  positionals: [
    {
      name: 'FORMULA[@VERSION]',
      description: 'what Homebrew calls it: jq, jq@1.7.1, openssl@3',
      required: true,
    },
  ],
  flags,
  passesThrough: 'COMMAND ARGUMENT...',
  async run({ console, positionals: [text = ''], flags: given, passedThrough }) {
    if (given.health === undefined && given.healthTimeout !== defaultHealthTimeoutMs) {
      throw new TaplineError('usage', '--health-timeout is for a check that --health names', {
        hint: 'add --health, such as --health "jq --version"',
      });
    }
    if (given.segment === undefined && given.segmentLabel.length > 0) {
      throw new TaplineError('usage', '--segment-label is for the port in a segment', {
        hint: 'add --segment, such as --segment news',
      });
    }
    if (given.segment !== undefined && given.network !== undefined) {
      throw new TaplineError(
        'usage',
        `--segment ${given.segment} and --network ${given.network} are two networks, and a program has one`,
        { hint: 'leave --network out: the segment is all that the program has' },
      );
    }
    // A typo is refused before anything is asked of the control plane.
    parsePackageReference(text, given.version);
    const { client } = await connect(given, console);
    const reference = await resolvePackageReference(text, {
      version: given.version,
      isDelivered: async (formula) => {
        const delivery = await find(client, formulaObjectName(formula), console.signal);
        return delivery?.spec.package.formula === formula;
      },
    });
    const wanted = changesOf(reference, given, passedThrough);
    const name = given.name ?? formulaObjectName(reference.formula);
    return await inTrace('tapline deploy', { console, rng: systemRng }, async (trace) => {
      const request = { name, wanted, traceParent: trace.traceParent };
      const delivery = await trace.measure('accepted', () =>
        createOrChange(client, request, console),
      );
      return await finishDelivery(client, delivery, {
        console,
        wait: given.wait,
        timeoutMs: given.timeout,
        format: given.output,
      });
    });
  },
});

type Given = Parameters<Parameters<typeof defineCommand<typeof flags>>[0]['run']>[0]['flags'];

/** What the command line says about the delivery; what it leaves out stays as it is. */
function changesOf(
  reference: PackageReference,
  given: Given,
  command: readonly string[],
): Partial<DeliverySpec> & Pick<DeliverySpec, 'package'> {
  const strategy = {
    ...(given.wave.length === 0 ? {} : { waves: given.wave.map(share) }),
    ...(given.quorum[0] === undefined ? {} : { quorum: share(given.quorum[0]) }),
    ...(given.errorBudget[0] === undefined ? {} : { errorBudget: share(given.errorBudget[0]) }),
  };
  const limits = {
    ...(given.memory === 0 ? {} : { memoryBytes: given.memory * 1024 * 1024 }),
    ...(given.pids === 0 ? {} : { pids: given.pids }),
  };
  return {
    package: reference,
    ...(given.to.length === 0 ? {} : { selector: parseSelector(given.to) }),
    ...(Object.keys(strategy).length === 0
      ? {}
      : { strategy: strategy as NonNullable<DeliverySpec['strategy']> }),
    ...(Object.keys(limits).length === 0 ? {} : { limits }),
    ...(given.health === undefined
      ? {}
      : {
          health: {
            command: [...splitWords(given.health)],
            timeoutSeconds: given.healthTimeout / 1000,
            attempts: 1,
            intervalSeconds: 1,
          },
        }),
    ...(command.length === 0
      ? {}
      : { run: { command: [...command], restart: (given.restart ?? 'Always') as 'Always' } }),
    ...(given.network === undefined ? {} : { network: given.network as 'None' | 'Host' }),
    ...(given.segment === undefined
      ? {}
      : { segment: segmentPlace(given.segment, given.segmentLabel) }),
  };
}

function segmentPlace(
  name: string,
  terms: readonly string[],
): NonNullable<DeliverySpec['segment']> {
  return { name, ...(terms.length > 0 && { labels: { ...parseLabels(terms) } }) };
}

function share(text: string): string | number {
  return /^\d+$/.test(text) ? Number(text) : text;
}

const attempts = 5;

/** Creates the delivery, or changes it and raises its rollout; again when another one was faster. */
async function createOrChange(
  client: ResourceClient,
  request: {
    readonly name: string;
    readonly wanted: ReturnType<typeof changesOf>;
    readonly traceParent: string;
  },
  console: Console,
): Promise<Delivery> {
  const { name, wanted, traceParent } = request;
  const traced = { [traceParentAnnotation]: traceParent };
  const { signal } = console;
  for (let attempt = 1; ; attempt += 1) {
    try {
      const current = await find(client, name, signal);
      if (current !== undefined) {
        const spec = { ...current.spec, ...wanted, rollout: current.spec.rollout + 1 };
        const annotations = { ...current.metadata.annotations, ...traced };
        const metadata = { ...current.metadata, annotations };
        return await client.update(deliveryResource, { ...current, metadata, spec }, { signal });
      }
      const { selector } = wanted;
      if (selector === undefined) {
        throw new TaplineError('usage', `delivery ${name} is new; name its devices`, {
          hint: 'use --to team=design, or --to all',
        });
      }
      const spec = { rollout: 1, ...wanted, selector };
      const metadata = { name, annotations: traced };
      return await client.create(deliveryResource, { metadata, spec }, { signal });
    } catch (error) {
      const raced = isTaplineError(error, 'conflict') || isTaplineError(error, 'already_exists');
      if (!raced || attempt === attempts) throw error;
    }
  }
}

async function find(
  client: ResourceClient,
  name: string,
  signal: AbortSignal,
): Promise<Delivery | undefined> {
  try {
    return await client.get(deliveryResource, name, { signal });
  } catch (error) {
    if (isTaplineError(error, 'not_found')) return undefined;
    throw error;
  }
}

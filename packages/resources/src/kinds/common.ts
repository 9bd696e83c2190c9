import { z } from 'zod';

/** The API group of every Tapline kind. */
export const taplineGroup = 'tapline.dev';
export const taplineVersion = 'v1alpha1';

export const platformSchema = z
  .string()
  .regex(/^[a-z0-9]+\/[a-z0-9]+(\/[a-z0-9]+)?$/)
  .max(64)
  .describe('Operating system and architecture, such as linux/arm64.');

export const digestSchema = z
  .string()
  .regex(/^sha256:[a-f0-9]{64}$/)
  .describe('An OCI digest, sha256: and 64 hexadecimal digits.');

export const formulaSchema = z
  .string()
  .regex(/^[A-Za-z0-9][A-Za-z0-9@+._-]*$/)
  .max(128)
  .describe('A Homebrew formula, such as jq or openssl@3.');

export const packageVersionSchema = z
  .string()
  .regex(/^[A-Za-z0-9][A-Za-z0-9+._~:-]*$/)
  .max(128)
  .describe("A formula's version with its revision, such as 1.7.1 or 3.3.1_2.");

const seconds = z.number().min(0).max(1e9);

export const stageTimesSchema = z
  .record(z.string().max(32), seconds)
  .describe('Seconds spent in each stage, by its name.');

/** Command lines are arguments, never a shell string. */
export const commandSchema = z.array(z.string().max(32_768)).min(1).max(256);

/** Names in the control plane's own registry: what is elsewhere is mirrored or pushed there first. */
export const imageReferenceSchema = z
  .string()
  .min(1)
  .max(512)
  .regex(
    /^[a-z0-9]+(?:[._/-]+[a-z0-9]+)*(?::[A-Za-z0-9][A-Za-z0-9._-]{0,127})?(?:@sha256:[a-f0-9]{64})?$/,
  )
  .describe(
    'An image of the registry, such as team/web:1.2 or team/web@sha256:…; without either, its latest.',
  );

export const healthCheckSchema = z.strictObject({
  command: commandSchema
    .optional()
    .describe('The program and its arguments, run beside it; exit code 0 is healthy.'),
  http: z
    .string()
    .max(2048)
    .regex(/^\/[\x21-\x7e]*$/)
    .optional()
    .describe('In its place: a path asked of the first port; below 400 is healthy.'),
  timeoutSeconds: z.number().min(0.1).max(3600).default(10).describe('After this it is unhealthy.'),
  attempts: z.int().min(1).max(100).default(1).describe('How often to try before giving up.'),
  intervalSeconds: z.number().min(0.01).max(3600).default(1).describe('Pause between attempts.'),
});

export const runSchema = z.strictObject({
  command: commandSchema
    .optional()
    .describe("The program to keep running, and its arguments; absent: the image's own."),
  env: z.record(z.string().max(256), z.string().max(32_768)).optional().describe('Environment.'),
  restart: z
    .enum(['Always', 'OnFailure', 'Never'])
    .default('Always')
    .describe('When to start again.'),
});

export const limitsSchema = z.strictObject({
  memoryBytes: z
    .int()
    .min(1_048_576)
    .max(2 ** 50)
    .optional()
    .describe('Most memory, in bytes.'),
  pids: z.int().min(1).max(4_194_304).optional().describe('Most processes and threads.'),
  cpus: z.number().min(0.01).max(4096).optional().describe('Most processor time, in processors.'),
});

export const errorSchema = z.strictObject({
  code: z.string().max(128).describe('The stable code of the error.'),
  message: z.string().max(32_768).describe('What failed and why.'),
  hint: z.string().max(4096).optional().describe('What to do.'),
});

export const networkSchema = z.enum(['None', 'Host']).describe('Which network the process sees.');

/**
 * A port that is kept open while what is behind it is replaced. A program has its port under a number
 * that it is told, as the old one has its own until its connections are done; or in a network of its
 * own, where nobody else has it.
 */
export const portSchema = z.strictObject({
  port: z
    .int()
    .min(1)
    .max(65_535)
    .describe('Where clients connect: on the node, or in the segment.'),
  env: z
    .string()
    .regex(/^[A-Za-z_][A-Za-z0-9_]*$/)
    .max(64)
    .optional()
    .describe('The variable that tells the program at which port of 127.0.0.1 to listen.'),
  target: z
    .int()
    .min(1)
    .max(65_535)
    .optional()
    .describe('Where the program listens, in a network of its own (network None, no segment).'),
});

export const portsSchema = z.array(portSchema).min(1).max(16);

export const drainSecondsSchema = z
  .int()
  .min(0)
  .max(86_400)
  .describe('How long connections to a program that is replaced may go on; 30 unless given.');

/** What is wrong with a program and its ports, as a sentence; undefined where nothing is. */
export function problemOfPorts(of: {
  readonly ports?: readonly ServedPort[] | undefined;
  readonly network?: string | undefined;
  readonly segment?: object | undefined;
  readonly health?: { readonly command?: unknown; readonly http?: unknown } | undefined;
}): { readonly path: string; readonly message: string } | undefined {
  const { ports = [], network, segment, health } = of;
  if (health?.command !== undefined && health.http !== undefined) {
    return { path: 'health', message: 'has command and http, of which one decides' };
  }
  if (health?.http !== undefined && ports.length === 0) {
    return { path: 'health', message: 'has http, and there is no port to ask' };
  }
  if (ports.some(({ env, target }) => (env === undefined) === (target === undefined))) {
    return { path: 'ports', message: 'each needs either env or target' };
  }
  if (new Set(ports.map(({ port }) => port)).size < ports.length) {
    return { path: 'ports', message: 'name a port twice' };
  }
  const own = network !== 'Host' && segment === undefined;
  if (ports.some(({ target }) => (target !== undefined) !== own)) {
    return {
      path: 'ports',
      message: 'with network Host or a segment each needs env, otherwise target',
    };
  }
  return undefined;
}

/** Where in a segment a program's port is; its rules choose by labels which kind of port it gets. */
export const segmentPlaceSchema = z.strictObject({
  name: z.string().min(1).max(189).describe('The segment, which has to be there before.'),
  labels: z
    .record(z.string().max(317), z.string().max(63))
    .optional()
    .describe("Of the program's port, over those of its node: the segment's rules select by them."),
});

export type ServedPort = z.infer<typeof portSchema>;
export type HealthCheck = z.infer<typeof healthCheckSchema>;
export type RunSpec = z.infer<typeof runSchema>;
export type Limits = z.infer<typeof limitsSchema>;
export type StageTimes = z.infer<typeof stageTimesSchema>;
export type StatusError = z.infer<typeof errorSchema>;

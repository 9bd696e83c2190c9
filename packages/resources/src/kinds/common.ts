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

export const healthCheckSchema = z.strictObject({
  command: commandSchema.describe('The program and its arguments; exit code 0 is healthy.'),
  timeoutSeconds: z.number().min(0.1).max(3600).default(10).describe('After this it is unhealthy.'),
  attempts: z.int().min(1).max(100).default(1).describe('How often to try before giving up.'),
  intervalSeconds: z.number().min(0.01).max(3600).default(1).describe('Pause between attempts.'),
});

export const runSchema = z.strictObject({
  command: commandSchema.describe('The program to keep running, and its arguments.'),
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
});

export const errorSchema = z.strictObject({
  code: z.string().max(128).describe('The stable code of the error.'),
  message: z.string().max(32_768).describe('What failed and why.'),
  hint: z.string().max(4096).optional().describe('What to do.'),
});

export const networkSchema = z.enum(['None', 'Host']).describe('Which network the process sees.');

/** Where in a segment a program's port is; its rules choose by labels which kind of port it gets. */
export const segmentPlaceSchema = z.strictObject({
  name: z.string().min(1).max(189).describe('The segment, which has to be there before.'),
  labels: z
    .record(z.string().max(317), z.string().max(63))
    .optional()
    .describe("Of the program's port, over those of its node: the segment's rules select by them."),
});

export type HealthCheck = z.infer<typeof healthCheckSchema>;
export type RunSpec = z.infer<typeof runSchema>;
export type Limits = z.infer<typeof limitsSchema>;
export type StageTimes = z.infer<typeof stageTimesSchema>;
export type StatusError = z.infer<typeof errorSchema>;

import { TaplineError } from '@tapline/base';
import { type IcingaEndpoint, parseIcingaName, type Placement } from '@tapline/monitoring';
import { readFile } from 'node:fs/promises';
import { dirname, resolve } from 'node:path';
import { parse } from 'yaml';
import { z } from 'zod';

/** What a control plane is told of other people's monitoring; see docs/guides/monitoring.md. */
export interface MonitoringConfiguration {
  readonly icinga?: IcingaConfiguration;
}

export interface IcingaConfiguration {
  readonly endpoint: IcingaEndpoint;
  readonly placement: Placement;
  /** Before the names of hosts. */
  readonly prefix: string;
}

const path = z.string().min(1);
const part = z
  .string()
  .regex(
    /^[A-Za-z0-9](?:[A-Za-z0-9._-]{0,61}[A-Za-z0-9])?$/,
    'is not 1 to 63 of letters, digits, . _ -',
  );

const schema = z.strictObject({
  icinga: z
    .strictObject({
      url: z.url({ protocol: /^https$/, error: "is no https URL: Icinga's API has nothing else" }),
      caFile: path,
      serverName: z.string().min(1).max(253).optional(),
      login: z.union(
        [
          z.strictObject({
            username: z.string().min(1).max(253),
            password: z.strictObject({ file: path }),
          }),
          z.strictObject({ certificateFile: path, keyFile: path }),
        ],
        'is { username: …, password: { file: … } } or { certificateFile: …, keyFile: … }',
      ),
      instance: z
        .string()
        .regex(/^[a-z0-9]([a-z0-9-]{0,30}[a-z0-9])?$/, 'is not 1 to 32 of a-z, 0-9 and -')
        .default('default'),
      prefix: z
        .string()
        .regex(
          /^(?:[A-Za-z0-9][A-Za-z0-9._-]{0,62})?$/,
          'is not up to 63 of letters, digits, . _ -',
        )
        .default(''),
      zone: part.optional(),
      globalZone: part.optional(),
    })
    .refine(
      ({ zone, globalZone }) => (zone === undefined) === (globalZone === undefined),
      'zone and globalZone go together: satellites have to know the templates',
    )
    .optional(),
});

/** Reads the file and what it points to, from the folder that it is in; errors name the field. */
export async function loadMonitoringConfiguration(file: string): Promise<MonitoringConfiguration> {
  const { icinga } = parseFile(await read(file), file);
  if (icinga === undefined) return {};
  const { url, caFile, serverName, login, instance, prefix, zone, globalZone } = icinga;
  const from = (name: string): Promise<string> => read(resolve(dirname(file), name));
  return {
    icinga: {
      endpoint: {
        url,
        caPem: await from(caFile),
        serverName,
        login:
          'username' in login
            ? {
                kind: 'password',
                username: login.username,
                password: (await from(login.password.file)).trimEnd(),
              }
            : {
                kind: 'certificate',
                certificatePem: await from(login.certificateFile),
                keyPem: await from(login.keyFile),
              },
      },
      placement: {
        instance: parseIcingaName(instance),
        ...(zone !== undefined && { zone: parseIcingaName(zone) }),
        ...(globalZone !== undefined && { globalZone: parseIcingaName(globalZone) }),
      },
      prefix,
    },
  };
}

function parseFile(text: string, file: string): z.infer<typeof schema> {
  let document: unknown;
  try {
    document = parse(text) ?? {};
  } catch (cause) {
    throw new TaplineError('configuration_invalid', `${file} is not YAML`, { cause });
  }
  const parsed = schema.safeParse(document);
  if (parsed.success) return parsed.data;
  const [issue] = parsed.error.issues;
  const where = issue?.path.join('.') ?? '';
  throw new TaplineError(
    'configuration_invalid',
    `${file}: ${where === '' ? '' : `${where}: `}${issue?.message ?? 'is not valid'}`,
    { hint: 'see docs/guides/monitoring.md' },
  );
}

async function read(file: string): Promise<string> {
  try {
    return await readFile(file, 'utf8');
  } catch (cause) {
    throw new TaplineError('configuration_invalid', `${file} cannot be read`, { cause });
  }
}

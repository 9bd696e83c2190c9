import { TaplineError } from '@tapline/base';
import { type IcingaEndpoint, parseIcingaName, type Placement } from '@tapline/monitoring';
import { readFile } from 'node:fs/promises';
import { dirname, resolve } from 'node:path';
import { parse } from 'yaml';
import { z } from 'zod';

/** What a control plane is told of other people's monitoring; see docs/guides/monitoring.md. */
export interface MonitoringConfiguration {
  readonly icinga?: IcingaConfiguration;
  /** Where metrics of devices go. */
  readonly remoteWrite?: RemoteWriteConfiguration;
  /** Where traces go. */
  readonly otlp?: OtlpConfiguration;
  /** Where people are told of what waits for them, and say yes or no. */
  readonly chat?: ChatConfiguration;
}

/** Who somebody in a chat is here, by the id that the chat has for them. */
export type ChatPeople = Readonly<
  Record<string, { readonly user: string; readonly groups: readonly string[] }>
>;

export interface SlackConfiguration {
  /** URL of an incoming webhook; who has it may write there. */
  readonly webhook: string;
  readonly signingSecret: string;
  readonly people: ChatPeople;
  readonly caPem?: string;
}

export interface MatrixConfiguration {
  readonly homeserver: string;
  readonly token: string;
  readonly room: string;
  readonly people: ChatPeople;
  readonly caPem?: string;
}

export interface ChatConfiguration {
  readonly slack?: SlackConfiguration;
  readonly matrix?: MatrixConfiguration;
}

/** Somebody who is sent something over HTTP. */
interface Receiver {
  readonly url: string;
  /** Certificate authorities to trust, PEM; the platform's where absent. */
  readonly caPem?: string;
  readonly token?: string;
}

export interface RemoteWriteConfiguration extends Receiver {
  readonly seriesPerDevice: number;
}

export type OtlpConfiguration = Receiver;

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

const receiver = {
  url: z.url({ protocol: /^https?$/, error: 'is no HTTP URL' }),
  caFile: path.optional(),
  token: z.strictObject({ file: path }).optional(),
};

/** On the machines that run checks. */
const place = z
  .string()
  .regex(/^\/[A-Za-z0-9._/-]{1,250}$/, 'is no absolute path of letters, digits, . _ / and -');

const people = z
  .record(
    z.string().min(1).max(255),
    z.strictObject({
      user: z.string().regex(/^[A-Za-z0-9@._-]{1,253}$/, 'is no name of a user'),
      groups: z.array(z.string().min(1).max(253)).max(16).default(['tapline:approver']),
    }),
  )
  .describe('Who somebody in the chat is here.');

const secret = z.strictObject({ file: path });

const chat = z.strictObject({
  slack: z
    .strictObject({ webhook: secret, signingSecret: secret, caFile: path.optional(), people })
    .optional(),
  matrix: z
    .strictObject({
      homeserver: z.url({ protocol: /^https?$/, error: 'is no HTTP URL' }),
      token: secret,
      room: z.string().regex(/^!.{1,250}$/, 'is no id of a room, such as !abc:example.net'),
      caFile: path.optional(),
      people,
    })
    .optional(),
});

const schema = z.strictObject({
  chat: chat.optional(),
  prometheus: z
    .strictObject({
      remoteWrite: z.strictObject({
        ...receiver,
        seriesPerDevice: z.int().min(1).max(100_000).default(1000),
      }),
    })
    .optional(),
  otlp: z.strictObject(receiver).optional(),
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
      checks: z
        .strictObject({
          command: place,
          kubeconfig: place,
          everySeconds: z.int().min(10).max(86_400).default(300),
        })
        .optional(),
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
  const { icinga, prometheus, otlp, chat: talk } = parseFile(await read(file), file);
  const from = (name: string): Promise<string> => read(resolve(dirname(file), name));
  return {
    ...(icinga !== undefined && { icinga: await icingaConfiguration(icinga, from) }),
    ...(prometheus !== undefined && {
      remoteWrite: {
        ...(await receiverOf(prometheus.remoteWrite, from)),
        seriesPerDevice: prometheus.remoteWrite.seriesPerDevice,
      },
    }),
    ...(talk !== undefined && { chat: await chatConfiguration(talk, from) }),
    ...(otlp !== undefined && { otlp: await receiverOf(otlp, from) }),
  };
}

type Reading = (name: string) => Promise<string>;

async function icingaConfiguration(
  icinga: NonNullable<z.infer<typeof schema>['icinga']>,
  from: Reading,
): Promise<IcingaConfiguration> {
  const { url, caFile, serverName, login, instance, prefix, checks, zone, globalZone } = icinga;
  return {
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
      ...(checks !== undefined && { checks: { ...checks, prefix } }),
      ...(zone !== undefined && { zone: parseIcingaName(zone) }),
      ...(globalZone !== undefined && { globalZone: parseIcingaName(globalZone) }),
    },
    prefix,
  };
}

async function chatConfiguration(
  { slack, matrix }: z.infer<typeof chat>,
  from: Reading,
): Promise<ChatConfiguration> {
  const secretOf = async ({ file }: { readonly file: string }): Promise<string> =>
    (await from(file)).trimEnd();
  return {
    ...(slack !== undefined && {
      slack: {
        webhook: checkedUrl(await secretOf(slack.webhook), 'chat.slack.webhook'),
        signingSecret: await secretOf(slack.signingSecret),
        people: slack.people,
        ...(slack.caFile !== undefined && { caPem: await from(slack.caFile) }),
      },
    }),
    ...(matrix !== undefined && {
      matrix: {
        homeserver: matrix.homeserver,
        token: await secretOf(matrix.token),
        room: matrix.room,
        people: matrix.people,
        ...(matrix.caFile !== undefined && { caPem: await from(matrix.caFile) }),
      },
    }),
  };
}

/** The URL of a webhook is a secret itself, so it is not said. */
function checkedUrl(text: string, where: string): string {
  if (URL.canParse(text) && /^https?:$/.test(new URL(text).protocol)) return text;
  throw new TaplineError('configuration_invalid', `${where}: its file holds no HTTP URL`);
}

async function receiverOf(
  { url, caFile, token }: z.infer<z.ZodObject<typeof receiver>>,
  from: Reading,
): Promise<Receiver> {
  return {
    url,
    ...(caFile !== undefined && { caPem: await from(caFile) }),
    ...(token !== undefined && { token: (await from(token.file)).trimEnd() }),
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

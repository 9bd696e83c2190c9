import type { IcingaState } from '../icinga/icinga-objects.ts';

/** Which object of Icinga: a host, or a service of a host. */
export interface ObjectId {
  readonly host: string;
  readonly service?: string | undefined;
}

/** How an object stands, as far as anybody has to act on it. */
export interface ObjectState {
  readonly state: IcingaState;
  /** Icinga has looked as often as it is told to before it believes a state. */
  readonly hard: boolean;
  readonly output: string;
  readonly acknowledged: boolean;
  readonly inDowntime: boolean;
  readonly flapping: boolean;
  /** When what it says was found, in seconds. */
  readonly atSeconds: number;
}

/** An object stands otherwise than before, is new, or is gone. */
export interface StateChange {
  readonly object: ObjectId;
  readonly before: ObjectState | undefined;
  readonly after: ObjectState | undefined;
  /** Found by comparing, as no event of it came: the stream was cut when it happened. */
  readonly missed: boolean;
}

/** The key of an object in maps: `host` or `host!service`. */
export function objectKeyOf({ host, service }: ObjectId): string {
  return service === undefined ? host : `${host}!${service}`;
}

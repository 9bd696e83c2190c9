/** What a host's or service's state is in Icinga's numbers: services 0 to 3, hosts 0 and 1. */
export type IcingaState = 0 | 1 | 2 | 3;

/** Who we are to an Icinga, and what it is. */
export interface IcingaInfo {
  readonly user: string;
  readonly version: string;
  readonly permissions: readonly string[];
}

/** An object as Icinga has it: the attributes that were asked for. */
export interface IcingaObject {
  /** Of a service `host!service`. */
  readonly name: string;
  readonly attrs: Readonly<Record<string, unknown>>;
}

export interface IcingaQuery {
  readonly attrs: readonly string[];
  /** An expression of Icinga's language; values go into `filterVars`, never into the text. */
  readonly filter?: string;
  readonly filterVars?: Readonly<Record<string, string | number | readonly string[]>>;
}

export interface IcingaCreation {
  readonly templates: readonly string[];
  readonly attrs: Readonly<Record<string, unknown>>;
}

/** The result of a check that was made elsewhere. */
export interface ProcessCheckResult {
  readonly exit_status: IcingaState;
  readonly plugin_output: string;
  readonly performance_data: readonly string[];
  readonly check_source?: string;
  /** Seconds after which Icinga looks by itself. */
  readonly ttl?: number;
}

/** A package of configuration files, and which of its stages is in force. */
export interface IcingaPackage {
  readonly name: string;
  readonly stages: readonly string[];
  readonly activeStage: string | undefined;
}

/** A request to an API, as whoever carries it has to send it. */
export interface HttpMessage {
  readonly method: string;
  /** With its query. */
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body?: Uint8Array;
  readonly signal?: AbortSignal | undefined;
}

export interface HttpAnswer {
  readonly status: number;
  /** Names in lower case. */
  readonly headers: Readonly<Record<string, string>>;
  readonly body: AsyncIterable<Uint8Array>;
  /** Ends what was not read to its end. */
  cancel(): void;
}

/** Carries requests, one answer each. Rejects where none came, with a TaplineError. */
export type SendHttp = (message: HttpMessage) => Promise<HttpAnswer>;

export interface ExchangeRequest {
  readonly method: string;
  readonly path: string;
  readonly body?: unknown;
  readonly contentType?: string;
  readonly signal?: AbortSignal | undefined;
}

/** Bytes of an answer that is still coming. */
export interface OpenAnswer {
  readonly body: AsyncIterable<Uint8Array>;
  destroy(): void;
}

/** Requests to one API, however they get there. */
export interface ResourceExchange extends AsyncDisposable {
  /** The parsed body of an answer below 300; others are thrown as what they say. */
  json(request: ExchangeRequest): Promise<unknown>;
  /** An answer below 300 whose body is still to be read. */
  open(request: ExchangeRequest): Promise<OpenAnswer>;
}

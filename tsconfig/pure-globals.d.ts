// What a pure package may use beside ECMAScript: globals without input, output or a clock, present
// in Node, browsers and workers alike. Anything else does not compile there.
interface AbortSignal {
  readonly aborted: boolean;
  readonly reason: unknown;
  throwIfAborted(): void;
  addEventListener(type: 'abort', listener: () => void, options?: { once?: boolean }): void;
  removeEventListener(type: 'abort', listener: () => void): void;
}
declare var AbortSignal: {
  any(signals: Iterable<AbortSignal>): AbortSignal;
  abort(reason?: unknown): AbortSignal;
};
interface AbortController {
  readonly signal: AbortSignal;
  abort(reason?: unknown): void;
}
declare var AbortController: { new (): AbortController };
interface TextEncoder {
  encode(text?: string): Uint8Array<ArrayBuffer>;
  encodeInto(text: string, into: Uint8Array): { read: number; written: number };
}
declare var TextEncoder: { new (): TextEncoder };
interface TextDecoder {
  decode(bytes?: Uint8Array, options?: { stream?: boolean }): string;
}
declare var TextDecoder: {
  new (label?: string, options?: { fatal?: boolean; ignoreBOM?: boolean }): TextDecoder;
};
interface URL {
  readonly href: string;
  readonly origin: string;
  readonly protocol: string;
  readonly host: string;
  readonly hostname: string;
  readonly port: string;
  readonly pathname: string;
  readonly search: string;
}
declare var URL: { new (url: string, base?: string): URL; canParse(url: string): boolean };
declare function structuredClone<T>(value: T): T;
declare function queueMicrotask(callback: () => void): void;
declare namespace WebAssembly {
  type Value = Memory | Global | Table | ((...values: never[]) => unknown);
  interface Memory {
    readonly buffer: ArrayBuffer;
  }
  const Memory: { new (descriptor: { initial: number; maximum?: number }): Memory };
  interface Global {
    readonly value: number | bigint;
  }
  const Global: {
    new (descriptor: { value: 'i32' | 'i64'; mutable?: boolean }, value: number | bigint): Global;
  };
  interface Table {
    readonly length: number;
    grow(by: number): number;
    get(index: number): Value;
    set(index: number, value: Value): void;
  }
  const Table: { new (descriptor: { element: 'anyfunc'; initial: number }): Table };
  /** Opaque. */
  interface Module {
    readonly [Symbol.toStringTag]: string;
  }
  const Module: { new (bytes: Uint8Array<ArrayBuffer>): Module };
  interface Instance {
    readonly exports: Record<string, Value>;
  }
  const Instance: {
    new (module: Module, imports: Record<string, Record<string, Value>>): Instance;
  };
}

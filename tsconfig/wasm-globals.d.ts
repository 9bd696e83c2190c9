// WebAssembly as every engine has it; Node's types leave it to the browser's.
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

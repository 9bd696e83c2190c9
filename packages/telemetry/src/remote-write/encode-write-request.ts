import { BinaryWriter, WireType } from '@bufbuild/protobuf/wire';

/** A series as remote write has it: labels with `__name__` among them, and values in time. */
export interface Series {
  readonly labels: Readonly<Record<string, string>>;
  readonly value: number;
  readonly atMs: number;
  readonly exemplar?: {
    readonly labels: Readonly<Record<string, string>>;
    readonly value: number;
    readonly atMs: number;
  };
}

/**
 * A WriteRequest of remote write 1.0, https://prometheus.io/docs/specs/prw/remote_write_spec/, not
 * compressed yet. Requests joined are one request of all their series, as protobuf has it.
 */
export function encodeWriteRequest(all: readonly Series[]): Uint8Array {
  const writer = new BinaryWriter();
  for (const { labels, value, atMs, exemplar } of all) {
    writer.tag(1, WireType.LengthDelimited).fork();
    writeLabels(writer, labels);
    writer.tag(2, WireType.LengthDelimited).fork();
    writer.tag(1, WireType.Bit64).double(value);
    writer.tag(2, WireType.Varint).int64(Math.round(atMs));
    writer.join();
    if (exemplar !== undefined) {
      writer.tag(3, WireType.LengthDelimited).fork();
      writeLabels(writer, exemplar.labels);
      writer.tag(2, WireType.Bit64).double(exemplar.value);
      writer.tag(3, WireType.Varint).int64(Math.round(exemplar.atMs));
      writer.join();
    }
    writer.join();
  }
  return writer.finish();
}

/** Sorted, as the specification asks for. */
function writeLabels(writer: BinaryWriter, labels: Readonly<Record<string, string>>): void {
  for (const name of Object.keys(labels).toSorted()) {
    writer.tag(1, WireType.LengthDelimited).fork();
    writer.tag(1, WireType.LengthDelimited).string(name);
    writer.tag(2, WireType.LengthDelimited).string(labels[name] ?? '');
    writer.join();
  }
}

import { execFileSync } from 'node:child_process';

// What JSON cannot hold is told apart by an object of one member.
const program = `
import datetime, json, plistlib, sys
def plain(value):
    if isinstance(value, bytes): return {"$data": value.hex()}
    if isinstance(value, datetime.datetime): return {"$date": value.strftime("%Y-%m-%dT%H:%M:%SZ")}
    if isinstance(value, dict): return {key: plain(member) for key, member in value.items()}
    if isinstance(value, list): return [plain(item) for item in value]
    return value
json.dump([plain(plistlib.loads(text.encode())) for text in json.load(sys.stdin)], sys.stdout)
`;

/** What Python's plistlib reads in property lists: bytes as `$data` in hex, dates as `$date`. */
export function readPlists(texts: readonly string[]): readonly unknown[] {
  const output = execFileSync('python3', ['-c', program], {
    input: JSON.stringify(texts),
    timeout: 30_000,
    maxBuffer: 64 * 1024 * 1024,
  });
  return JSON.parse(output.toString()) as readonly unknown[];
}

const step = /\.([A-Za-z0-9_-]+)|\[\?\(@\.([A-Za-z0-9_-]+)\s*==\s*"([^"]*)"\)\]|\[(\d+)\]/gy;

type Step =
  | { readonly kind: 'field'; readonly name: string }
  | { readonly kind: 'where'; readonly name: string; readonly equals: string }
  | { readonly kind: 'index'; readonly at: number };

/** The subset of JSONPath that printer columns use: fields, indexes and `[?(@.type=="Ready")]`. */
export type JsonPath = readonly Step[];

/** Parses such a path; undefined where it is more than the subset. */
export function parseJsonPath(text: string): JsonPath | undefined {
  const steps: Step[] = [];
  let end = 0;
  for (const match of text.matchAll(step)) {
    const [whole, field, name, equals, at] = match;
    end = match.index + whole.length;
    if (field !== undefined) steps.push({ kind: 'field', name: field });
    else if (at !== undefined) steps.push({ kind: 'index', at: Number(at) });
    else steps.push({ kind: 'where', name: name ?? '', equals: equals ?? '' });
  }
  return end === text.length && steps.length > 0 ? steps : undefined;
}

/** The first value at the path, or undefined. */
export function readJsonPath(path: JsonPath, value: unknown): unknown {
  return path.reduce<unknown>((current, one) => {
    switch (one.kind) {
      case 'field':
        return fieldOf(current, one.name);
      case 'index':
        return Array.isArray(current) ? current[one.at] : undefined;
      case 'where':
        return Array.isArray(current)
          ? current.find((item) => fieldOf(item, one.name) === one.equals)
          : undefined;
    }
  }, value);
}

function fieldOf(value: unknown, name: string): unknown {
  if (typeof value !== 'object' || value === null || !Object.hasOwn(value, name)) return undefined;
  return (value as Readonly<Record<string, unknown>>)[name];
}

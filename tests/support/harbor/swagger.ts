import { readFileSync } from 'node:fs';
import { isRecord } from '@tapline/base';
import { parse } from 'yaml';

/** A schema of Swagger 2.0, as far as Harbor's contract uses it. */
export interface Schema {
  readonly $ref?: string;
  readonly type?: string;
  readonly format?: string;
  readonly description?: string;
  readonly maxLength?: number;
  readonly enum?: readonly unknown[];
  readonly properties?: Readonly<Record<string, Schema>>;
  readonly additionalProperties?: Schema | boolean;
  readonly required?: readonly string[];
  readonly items?: Schema;
  readonly allOf?: readonly Schema[];
  readonly 'x-nullable'?: boolean;
}

export interface Parameter extends Omit<Schema, 'required'> {
  readonly name: string;
  readonly in: 'query' | 'path' | 'header' | 'body' | 'formData';
  readonly required?: boolean;
  readonly schema?: Schema;
}

/** One method of one path. */
export interface Operation {
  readonly id: string;
  readonly method: string;
  /** `/robots/{robot_id}`. */
  readonly path: string;
  readonly pattern: RegExp;
  readonly parameters: readonly Parameter[];
  readonly responses: Readonly<Record<string, { readonly schema?: Schema }>>;
}

/** A contract with its references looked up on demand. */
export interface Swagger {
  readonly basePath: string;
  readonly operations: readonly Operation[];
  resolve(schema: Schema): Schema;
}

/** Reads a contract of Swagger 2.0 from a YAML file. */
export function readSwagger(path: string): Swagger {
  const document = record(parse(readFileSync(path, 'utf8')));

  function lookUp(reference: string): unknown {
    return reference
      .replace(/^#\//, '')
      .split('/')
      .reduce<unknown>((at, name) => record(at)[name], document);
  }
  function resolved<T extends { readonly $ref?: string }>(value: T): T {
    return value.$ref === undefined ? value : resolved(lookUp(value.$ref) as T);
  }

  const operations = Object.entries(record(document['paths'])).flatMap(([template, item]) =>
    Object.entries(record(item)).map(([method, declared]): Operation => {
      const operation = record(declared);
      const responses = Object.entries(record(operation['responses']));
      return {
        id: String(operation['operationId']),
        method: method.toUpperCase(),
        path: template,
        pattern: new RegExp(`^${template.replaceAll(/\{([^}]+)\}/g, '(?<$1>[^/]+)')}$`),
        parameters: (operation['parameters'] as Parameter[]).map(resolved),
        responses: Object.fromEntries(
          responses.map(([status, response]) => [status, resolved(record(response))]),
        ),
      };
    }),
  );
  return { basePath: String(document['basePath']), operations, resolve: resolved };
}

function record(value: unknown): Readonly<Record<string, unknown>> {
  if (isRecord(value)) return value;
  throw new Error(`the contract has ${JSON.stringify(value)} where an object was expected`);
}

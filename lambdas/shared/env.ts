/**
 * The environment of a function is declared once, as a name and a codec for each variable. CDK encodes it and the
 * handler decodes it. If one of them forgets a variable, the program does not compile.
 */
import * as z from 'zod/mini';
import { ConfigError } from './errors';
import { tryParse } from './json';

export interface Variable<T> {
  readonly name: string;
  /** Completes the sentence "NAME must be ...", because the value itself must not appear in an error. */
  readonly expected: string;
  readonly codec: z.ZodMiniType<T, string>;
}

export type Environment = Readonly<Record<string, Variable<unknown>>>;

export type Values<E> = { readonly [K in keyof E]: E[K] extends Variable<infer T> ? T : never };

export function textVariable(name: string): Variable<string> {
  return { name, expected: 'a text', codec: z.string() };
}

/** A value that is written as JSON. The schema refuses the undefined that text other than JSON gives. */
export function jsonVariable<T>(name: string, expected: string, schema: z.ZodMiniType<T, T>): Variable<T> {
  return {
    name,
    expected,
    codec: z.codec(z.string(), schema, {
      decode: (text) => tryParse(text) as T,
      encode: (value) => JSON.stringify(value),
    }),
  };
}

export function encodeEnvironment<E extends Environment>(environment: E, values: Values<E>): Record<string, string> {
  return Object.fromEntries(
    Object.entries(environment).map(([field, { name, codec }]) => [name, z.encode(codec, values[field])]),
  );
}

/** Throws one `ConfigError` that names every variable that is missing or malformed. */
export function decodeEnvironment<E extends Environment>(
  environment: E,
  source: Readonly<Record<string, string | undefined>>,
): Values<E> {
  const problems: string[] = [];
  const values = Object.entries(environment).map(([field, variable]) => {
    const value = source[variable.name];
    const { success, data } = z.safeDecode(variable.codec, value ?? '');
    if (!value) problems.push(`${variable.name} is not set`);
    else if (!success) problems.push(`${variable.name} must be ${variable.expected}`);
    return [field, data];
  });
  if (problems.length > 0) throw new ConfigError('environment-invalid', `environment: ${problems.join('; ')}`);
  return Object.fromEntries(values);
}

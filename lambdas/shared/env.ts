/**
 * A function's environment, declared once: CDK encodes it, the handler decodes it, and a variable that one of them
 * forgets does not compile.
 */
import { ConfigError } from './errors';

export interface Variable<T> {
  readonly name: string;
  encode(value: T): string;
  /** Throws a sentence that says what is expected. */
  decode(text: string): T;
}

export type Environment = Readonly<Record<string, Variable<unknown>>>;

export type Values<E> = { readonly [K in keyof E]: E[K] extends Variable<infer T> ? T : never };

export function textVariable(name: string): Variable<string> {
  return { name, encode: (value) => value, decode: (text) => text };
}

export function numberVariable(name: string, min: number, max: number): Variable<number> {
  return {
    name,
    encode: String,
    decode: (text) => {
      const value = Number(text);
      if (text.trim() === '' || !(value >= min && value <= max)) throw new RangeError(`a number from ${min} to ${max}`);
      return value;
    },
  };
}

export function jsonVariable<T>(name: string, expected: string, holds: (value: unknown) => value is T): Variable<T> {
  return {
    name,
    encode: (value) => JSON.stringify(value),
    decode: (text) => {
      const value = tryJson(text);
      if (!holds(value)) throw new TypeError(expected);
      return value;
    },
  };
}

/** Undefined where the text is not JSON: `JSON.parse`'s own message would quote it. */
function tryJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

export function encodeEnvironment<E extends Environment>(environment: E, values: Values<E>): Record<string, string> {
  const encoded: Record<string, string> = {};
  for (const [field, variable] of Object.entries(environment)) {
    encoded[variable.name] = variable.encode(values[field as keyof E]);
  }
  return encoded;
}

/** Every missing or malformed variable is named at once. Throws `ConfigError`. */
export function decodeEnvironment<E extends Environment>(
  environment: E,
  source: Readonly<Record<string, string | undefined>>,
): Values<E> {
  const problems: string[] = [];
  const values: Record<string, unknown> = {};
  for (const [field, variable] of Object.entries(environment)) {
    const text = source[variable.name];
    if (text === undefined || text === '') {
      problems.push(`${variable.name} is not set`);
      continue;
    }
    try {
      values[field] = variable.decode(text);
    } catch (error) {
      problems.push(`${variable.name} must be ${error instanceof Error ? error.message : 'valid'}`);
    }
  }
  if (problems.length > 0) throw new ConfigError('environment-invalid', `environment: ${problems.join('; ')}`);
  return values as Values<E>;
}

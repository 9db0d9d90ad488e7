/**
 * One GET over HTTPS. No redirect is followed, so the API key goes to no other host; no error holds what was sent or
 * received. The body is bounded, and a response that ends before it is whole is an error, never a shorter body.
 */
import { type HttpResponse, type Transport, TransportError, type TransportLimits } from '../shared/ports';

export function createTransport(): Transport {
  async function get(
    url: URL,
    headers: Readonly<Record<string, string>>,
    limits: TransportLimits,
  ): Promise<HttpResponse> {
    const signal = AbortSignal.timeout(Math.max(1, Math.floor(limits.timeoutMs)));
    try {
      const response = await fetch(url, { headers, redirect: 'manual', signal });
      const body = await readBody(response, limits.maxBytes);
      return { status: response.status, headers: new Map(response.headers), body };
    } catch (error) {
      throw translate(error, limits);
    }
  }

  return { get };
}

async function readBody(response: Response, maxBytes: number): Promise<Buffer> {
  const chunks: Uint8Array[] = [];
  let length = 0;
  for await (const chunk of response.body ?? []) {
    length += chunk.length;
    // Leaving the loop cancels the stream, and with it the connection.
    if (length > maxBytes) throw new TransportError('too-large', `the response is larger than ${maxBytes} bytes`);
    chunks.push(chunk);
  }
  return Buffer.concat(chunks, length);
}

function translate(error: unknown, limits: TransportLimits): TransportError {
  if (error instanceof TransportError) return error;
  if (fieldOf(error, 'name') === 'TimeoutError') {
    return new TransportError('timeout', `no whole response within ${Math.round(limits.timeoutMs)} ms`);
  }
  // The system's or undici's code (ECONNRESET, UND_ERR_SOCKET, ...): their messages may quote what was received.
  const code = fieldOf(fieldOf(error, 'cause') ?? error, 'code');
  return new TransportError('network', typeof code === 'string' ? code : 'the connection failed');
}

function fieldOf(value: unknown, name: string): unknown {
  return typeof value === 'object' && value !== null ? Reflect.get(value, name) : undefined;
}

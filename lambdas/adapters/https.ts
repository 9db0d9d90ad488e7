/**
 * One GET over HTTPS. No redirect is followed, so that the API key goes to no other host. No error quotes the request or the
 * response. The body is bounded, and a response that ends too early is an error, never a shorter body.
 */
import { UpstreamError } from '../shared/errors';
import { type Transport, TransportError, type TransportLimits } from '../shared/ports';

/** The codes with which OpenSSL and Node refuse a certificate. */
const CERTIFICATE_CODES =
  /CERT|^UNABLE_TO_(GET|VERIFY|DECODE|DECRYPT)_|^(INVALID_CA|PATH_LENGTH_EXCEEDED|HOSTNAME_MISMATCH)$/;

export const transport: Transport = {
  async get(url, headers, limits) {
    const signal = AbortSignal.timeout(Math.max(1, Math.floor(limits.timeoutMs)));
    try {
      const response = await fetch(url, { headers, redirect: 'manual', signal });
      const body = await readBody(response, limits.maxBytes);
      return { status: response.status, headers: new Map(response.headers), body };
    } catch (error) {
      throw translate(error, url, limits);
    }
  },
};

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

function translate(error: unknown, url: URL, limits: TransportLimits): TransportError | UpstreamError {
  if (error instanceof TransportError) return error;
  if (fieldOf(error, 'name') === 'TimeoutError') {
    return new TransportError('timeout', `no complete response within ${Math.round(limits.timeoutMs)} ms`);
  }
  // Only the code of the system or of undici (ECONNRESET, UND_ERR_SOCKET): their messages may quote the response.
  const code = fieldOf(fieldOf(error, 'cause') ?? error, 'code');
  if (typeof code !== 'string') return new TransportError('network', 'the connection failed');
  return CERTIFICATE_CODES.test(code) ? untrusted(code, url) : new TransportError('network', code);
}

/** A retry would be refused too. */
function untrusted(code: string, url: URL): UpstreamError {
  return new UpstreamError(
    'source-unavailable',
    `the certificate of ${url.host} is not trusted (${code}), so no API key was sent. If a proxy of your company replaces ` +
      'certificates, set NODE_EXTRA_CA_CERTS to a PEM file with the root certificate of the company',
  );
}

function fieldOf(value: unknown, name: string): unknown {
  return typeof value === 'object' && value !== null ? Reflect.get(value, name) : undefined;
}

/** The settings that a company's network asks of every program: the company's own root certificate, and its proxy. */

const CERTIFICATES = ['NODE_EXTRA_CA_CERTS', 'NODE_USE_SYSTEM_CA'];
const PROXIES = ['HTTPS_PROXY', 'https_proxy', 'HTTP_PROXY', 'http_proxy'];

type Variables = Readonly<Record<string, string | undefined>>;

/** The variables for a process that calls a real service, and servers on this machine beside it. */
export function networkEnvironment(from: Variables): Record<string, string> {
  const found = [...CERTIFICATES, ...PROXIES].flatMap((name) => (from[name] ? [[name, from[name]] as const] : []));
  if (!hasProxy(from)) return Object.fromEntries(found);
  const direct = [from.NO_PROXY || from.no_proxy, '127.0.0.1'].filter(Boolean).join(',');
  return {
    ...Object.fromEntries(found),
    NO_PROXY: direct,
    no_proxy: direct,
    NODE_USE_ENV_PROXY: from.NODE_USE_ENV_PROXY ?? '1',
  };
}

/** The sentence for the user if there is a proxy that this version of Node cannot use; otherwise undefined. */
export function proxyNotice(from: Variables, nodeVersion: string): string | undefined {
  const [major = 0, minor = 0] = nodeVersion.split('.').map(Number);
  const isAble = major >= 24 || (major === 22 && minor >= 21);
  if (isAble || !hasProxy(from)) return undefined;
  return `A proxy is set, but Node ${nodeVersion} cannot use one, so requests go out directly: install Node 24, or 22.21 or newer.`;
}

function hasProxy(from: Variables): boolean {
  return PROXIES.some((name) => from[name]);
}

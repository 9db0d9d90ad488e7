import { networkEnvironment, proxyNotice } from '../../local/network';

const proxied = { NODE_USE_ENV_PROXY: '1', NO_PROXY: '127.0.0.1', no_proxy: '127.0.0.1' };

test.each<[string, Record<string, string>, Record<string, string>]>([
  ['nothing else', { HOME: '/home/ada', HTTPS_PROXY: '' }, {}],
  ['the root certificate', { NODE_EXTRA_CA_CERTS: '/etc/ca.pem' }, { NODE_EXTRA_CA_CERTS: '/etc/ca.pem' }],
  ['a proxy, switched on', { HTTPS_PROXY: 'http://p:8080' }, { HTTPS_PROXY: 'http://p:8080', ...proxied }],
  [
    'a proxy and its exceptions, beside the servers on this machine',
    { https_proxy: 'http://p:8080', no_proxy: 'example.com' },
    { https_proxy: 'http://p:8080', ...proxied, NO_PROXY: 'example.com,127.0.0.1', no_proxy: 'example.com,127.0.0.1' },
  ],
  [
    'a proxy that the user has switched off',
    { HTTPS_PROXY: 'http://p:8080', NODE_USE_ENV_PROXY: '0' },
    { HTTPS_PROXY: 'http://p:8080', ...proxied, NODE_USE_ENV_PROXY: '0' },
  ],
])("the handler's process gets %s of the network's variables", (_, from, expected) => {
  expect(networkEnvironment(from)).toEqual(expected);
});

test.each([
  ['20.20.2', true],
  ['22.20.9', true],
  ['23.1.0', true],
  ['22.21.0', false],
  ['24.0.0', false],
])('Node %s: whether the user is told that it cannot use the proxy is %s', (version, isTold) => {
  const notice = proxyNotice({ HTTPS_PROXY: 'http://p:8080' }, version);
  expect(notice).toEqual(isTold ? expect.stringContaining(`Node ${version} cannot use one`) : undefined);
  expect(proxyNotice({}, version)).toBeUndefined();
});

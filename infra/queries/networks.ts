/** The networks of a query's parameter, as `sign_ins_outside_networks.sql` reads them. */

const IPV4 = /^(25[0-5]|2[0-4]\d|1\d\d|[1-9]?\d)(\.(25[0-5]|2[0-4]\d|1\d\d|[1-9]?\d)){3}$/;
const EXAMPLE = 'must be networks such as 203.0.113.0/24,2001:db8::/32';

/** Returns why the text is not a list of networks, or undefined. SQL would find no address in a network that it cannot read. */
export function networksProblem(text: string): string | undefined {
  return text.split(',').every((each) => isNetwork(each.trim())) ? undefined : EXAMPLE;
}

/** An address alone is a network too. */
function isNetwork(text: string): boolean {
  const [, address = '', bits = '0'] = /^([^/]*)(?:\/(\d{1,3}))?$/.exec(text) ?? [];
  if (IPV4.test(address)) return Number(bits) <= 32;
  // The parser of addresses in URLs takes each form of an IPv6 address, and nothing else inside of brackets.
  return address.includes(':') && URL.canParse(`http://[${address}]`) && Number(bits) <= 128;
}

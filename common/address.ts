/** Hosts as people and URLs write them. An IPv6 literal has brackets in a URL, and none where a socket is opened. */

/** Returns a host without the brackets of a URL, as sockets and resolvers take it. */
export function bareHost(host: string): string {
  return host.replace(/^\[(.*)\]$/, '$1');
}

/** Returns `host:port` as a URL writes it, with an IPv6 literal in brackets. */
export function authorityOf(host: string, port: number): string {
  const bare = bareHost(host);
  return `${bare.includes(':') ? `[${bare}]` : bare}:${String(port)}`;
}

/** Host and port of a URL, ready for a socket. */
export function endpointOf(url: string, defaultPort: number): { readonly host: string; readonly port: number } {
  const { hostname, port } = new URL(url);
  return { host: bareHost(hostname), port: port === '' ? defaultPort : Number(port) };
}

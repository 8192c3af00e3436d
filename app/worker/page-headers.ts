const TYPES: Readonly<Record<string, string>> = {
  html: 'text/html; charset=utf-8',
  js: 'text/javascript; charset=utf-8',
  css: 'text/css; charset=utf-8',
  svg: 'image/svg+xml',
  png: 'image/png',
  webmanifest: 'application/manifest+json',
};

/**
 * Returns the headers of a file of the page: those of docs/cloud.md. The maker's list says nothing of headers, so the host's
 * are not kept.
 */
export function headersOf(path: string): Readonly<Record<string, string>> {
  const end = path.slice(path.lastIndexOf('.') + 1);
  const isDocument = end === 'html';
  return {
    'content-type': TYPES[end] ?? 'application/octet-stream',
    'content-security-policy': isDocument ? "frame-ancestors 'none'" : "default-src 'none'; script-src 'self'",
    'x-content-type-options': 'nosniff',
    'referrer-policy': 'no-referrer',
    'cross-origin-opener-policy': 'same-origin',
  };
}

/** Set by the build: the public key of the page's maker, as minisign writes it; empty for a page that nobody signs. */
declare const __MAKER_KEY__: string;

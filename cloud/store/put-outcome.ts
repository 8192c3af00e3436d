/** What became of a record that was to be stored. */
export type PutOutcome =
  | { readonly outcome: 'stored'; readonly id: number }
  | { readonly outcome: 'duplicate' }
  | { readonly outcome: 'equivocation' }
  /** It names a media id under which another record of its epoch has a stored object. Nothing of it was stored. */
  | { readonly outcome: 'media-taken' }
  /** It is a second key record of a period, with another hash. Nothing of it was stored. */
  | { readonly outcome: 'period-taken' }
  /** The caller's `Bind` said no. Nothing of it was stored. */
  | { readonly outcome: 'unbound' };

declare global {
  interface Window {
    /** The part of Trusted Types that is needed here; the compiler's library does not have them. */
    readonly trustedTypes?: {
      createPolicy(
        name: string,
        rules: { readonly createScriptURL: (url: string) => string },
      ): {
        /** Returns what a browser takes for the address of a script. */
        createScriptURL(url: string): URL;
      };
    };
  }
}

/**
 * Returns the address of a worker's script in the form that this browser takes. It is always this one, whatever the policy
 * is asked for: the page's policy admits no other (Trusted Types). @throws TypeError where a policy of that name is there
 */
export function scriptUrl(policy: 'sealcam-opener' | 'sealcam-worker', url: string): string | URL {
  return window.trustedTypes?.createPolicy(policy, { createScriptURL: () => url }).createScriptURL(url) ?? url;
}

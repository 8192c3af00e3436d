/** Names of the parameters in the fragments of links into the page, which reads and removes them before it loads the rest. */
export const CLAIM_FRAGMENT = 'claim';
export const MEMBER_FRAGMENT = 'member';

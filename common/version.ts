/** Version of this program; a test keeps it equal to package.json. */
export const VERSION = '0.1.0';

/** When this version was made (UTC). A wall clock before this time was never set. */
export const RELEASED_MS = Date.UTC(2026, 10, 1);

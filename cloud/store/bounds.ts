/** Entries that the quarantine keeps; the oldest go first. */
export const QUARANTINE_MAX = 10_000;
/** Bytes of a refused message that the quarantine keeps. */
export const QUARANTINE_BYTES_MAX = 16 * 1024;
export const ALARMS_PER_PLACE_MAX = 10_000;
/** Characters of a reason, in the quarantine and in an alarm. */
export const REASON_MAX = 200;
/** Browsers of one key whose statements of heads are kept. */
export const BROWSERS_PER_KEY_MAX = 16;
/** Settings objects of a household that no other names as a parent, and names of those that one does. */
export const SETTINGS_HEADS_MAX = 16;
export const SETTINGS_PARENTS_KEPT = 256;
/** Settings objects of a household within a minute. */
export const SETTINGS_PER_MINUTE_MAX = 30;
/** Statements of deletion in one epoch. Those that lie below the epoch's floor are erased with the records there. */
export const DELETIONS_PER_EPOCH_MAX = 512;
/** Accounts whose invitation a person has not accepted, and epochs of each, of which one session learns. */
export const INVITING_ACCOUNTS_MAX = 4;
export const INVITED_EPOCHS_MAX = 2;
/** Browsers of one key that receive notifications. */
export const PUSH_SUBSCRIPTIONS_PER_KEY_MAX = 8;
/** A subscription that took no message for this long is removed at the next failure. */
export const PUSH_FAILING_MAX_MS = 7 * 86_400_000;
/** One that its browser never renewed, and that took no message either. */
export const PUSH_UNUSED_TTL_MS = 400 * 86_400_000;
/** Offers that are open at the same time, of all cameras. */
export const OFFERS_MAX = 10_000;
/** Alarms of one camera (of one reader, for reports of the app) in one place; its own oldest go first. */
export const ALARMS_PER_SOURCE_MAX = 200;
/** KEM keys that wait to be named in a claim, of all browsers, and for how long. */
export const OFFERED_KEM_KEYS_MAX = 50_000;
export const OFFERED_KEM_KEY_TTL_MS = 86_400_000;

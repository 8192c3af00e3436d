import type { Counters } from '../../common/counters.js';

/** Every share, as the metric `sealcam_share_refused_total` names it. */
export const SHARES = [
  'requests',
  'connections-per-address',
  'slow-requests',
  'streams-per-key',
  'streams-per-address',
  'streams-of-strangers',
  'looks-per-key',
  'looks-per-account',
  'looks-per-address',
  'look-orders',
  'pending-claims',
  'offers',
  'kem-keys',
  'push-subscriptions',
  'alarms-of-strangers',
  'uploads-per-address',
  'uploads-per-camera',
  'uploads-per-body',
] as const;
export type ShareName = (typeof SHARES)[number];

/** Counts a refusal because a share was used up. */
export function countRefused(counters: Counters, share: ShareName): void {
  counters.add(`shares.${share}`);
}

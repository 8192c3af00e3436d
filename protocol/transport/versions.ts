/** How a cloud announces the versions that it takes: in its CONNACK on MQTT 5, else with `hello`. */

/** User property of the CONNACK, `1,2` for example. */
export const VERSIONS_PROPERTY = 'sealcam-versions';

/** Returns the value of the property. */
export function formatVersions(versions: readonly number[]): string {
  return versions.join(',');
}

/** Returns the versions in a property; none if it is missing or anything else. Versions of the future are left alone. */
export function parseVersions(value: unknown): readonly number[] {
  return typeof value === 'string' && /^\d{1,3}(,\d{1,3}){0,7}$/.test(value) ? value.split(',').map(Number) : [];
}

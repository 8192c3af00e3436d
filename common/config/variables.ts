/**
 * Variables that have our prefix and are no setting of ours. An orchestrator describes every neighbour of a service in
 * its environment: next to one named `sealcloud` a process finds SEALCLOUD_SERVICE_HOST and SEALCLOUD_PORT=tcp://….
 */

/** What Kubernetes and Docker's links put there: SEALCLOUD_PORT_8080_TCP_ADDR, SEALCLOUD_MQTT_SERVICE_PORT_TLS. */
const NEIGHBOUR_NAME = /_(SERVICE_HOST|SERVICE_PORT(_\w+)?|PORT_\d+_(TCP|UDP|SCTP)(_(PROTO|PORT|ADDR))?)$/;
const NEIGHBOUR_PORT = /^(tcp|udp|sctp):\/\//;
/** Single letters by which a misspelled name may differ from a setting's. */
const MISSPELLED_LETTERS_MAX = 2;

/** Returns whether an orchestrator set this variable. It may bear a setting's name: a service `sealcloud-http` sets SEALCLOUD_HTTP_PORT. */
export function isNeighbour(variable: string, text: string): boolean {
  return NEIGHBOUR_NAME.test(variable) || (variable.endsWith('_PORT') && NEIGHBOUR_PORT.test(text));
}

/**
 * Returns the setting's variable that an unknown one was probably meant to be; undefined where nothing is near. One that is
 * meant for a setting must not be passed over: a camera whose masks are misspelled would film what it should not.
 */
export function meantVariable(variable: string, known: Iterable<string>): string | undefined {
  for (const name of known) if (isWithin(MISSPELLED_LETTERS_MAX, variable, name)) return name;
  return undefined;
}

/** Whether `most` insertions, deletions or substitutions turn one text into the other (Levenshtein's distance). */
function isWithin(most: number, a: string, b: string): boolean {
  if (Math.abs(a.length - b.length) > most) return false;
  let row = Array.from({ length: b.length + 1 }, (_, i) => i);
  for (let i = 1; i <= a.length; i++) {
    const next = [i];
    for (let j = 1; j <= b.length; j++) {
      const substituted = (row[j - 1] ?? 0) + (a[i - 1] === b[j - 1] ? 0 : 1);
      next.push(Math.min(substituted, (row[j] ?? 0) + 1, (next[j - 1] ?? 0) + 1));
    }
    row = next;
  }
  return (row[b.length] ?? 0) <= most;
}

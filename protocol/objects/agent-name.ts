import type { AnyClaim } from './claim.js';
import { PROTOCOL_VERSIONS, versionOf } from './signed-object.js';

/**
 * Returns how an agent names itself in signed `health` and in `status`: the version of the program, and as build metadata
 * the highest version of the protocol that it takes, `0.1.0+protocol.2` for example.
 */
export function agentName(program: string): string {
  return `${program}+protocol.${String(Math.max(...PROTOCOL_VERSIONS))}`;
}

/** Returns whether an agent takes version 2 of the protocol. One that names none does from program version 1.1 on. */
function takesVersionTwo(agent: string): boolean {
  const [, named] = /\+protocol\.(\d{1,3})$/.exec(agent) ?? [];
  if (named !== undefined) return Number(named) >= 2;
  const [, major = '0', minor = '0'] = /^(\d{1,9})\.(\d{1,9})(?:\D|$)/.exec(agent) ?? [];
  return Number(major) > 1 || (Number(major) === 1 && Number(minor) >= 1);
}

/**
 * Returns whether a camera takes version 2, by its signed `health`, and has an owner of version 1: the cloud may be hiding
 * version 2 from the camera or from the page.
 */
export function isVersionHidden(claim: AnyClaim, agent: string): boolean {
  return versionOf(claim) === 1 && takesVersionTwo(agent);
}

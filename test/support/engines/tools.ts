import { describe } from 'vitest';
import { hasTool, remedyOf, type ToolName } from './programs.js';
import { isDemanded } from '../vectors.js';

export { program } from './programs.js';

/** Describes a suite that needs a tool. Without it the suite fails if tools are demanded, else it is listed as not run. */
export function describeWith(name: ToolName, title: string, body: () => void): void {
  const isMissing = !isDemanded && !hasTool(name);
  describe.skipIf(isMissing)(isMissing ? `${title} (not run: ${name} is missing; ${remedyOf(name)})` : title, body);
}

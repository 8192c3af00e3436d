import { describe } from 'vitest';
import { hasTool, remedyOf, type ToolName } from './programs.js';
import { isDemanded } from '../vectors.js';

export { program } from './programs.js';

/** A suite that needs a tool: where it is missing a failure if tools are demanded, else a named skip. */
export function describeWith(name: ToolName, title: string, body: () => void): void {
  const isMissing = !isDemanded && !hasTool(name);
  describe.skipIf(isMissing)(isMissing ? `${title} (not run: ${name} is missing; ${remedyOf(name)})` : title, body);
}

import { describe } from 'vitest';
import { hasTool, remedyOf, type ToolName } from './programs.js';
import { isCi } from '../vectors.js';

export { program } from './programs.js';

/** A suite that needs a tool: a failure on CI where it is missing, elsewhere a named skip. */
export function describeWith(name: ToolName, title: string, body: () => void): void {
  const isMissing = !isCi && !hasTool(name);
  describe.skipIf(isMissing)(isMissing ? `${title} (not run: ${name} is missing; ${remedyOf(name)})` : title, body);
}

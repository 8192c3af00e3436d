import { part } from './part.js';

/** A file of its own, for the first visit and for the settings: most visits do without it. */
export const EvidenceCheckPart = part(async () => (await import('./evidence-check.js')).EvidenceCheck);

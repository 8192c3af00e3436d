import { part } from './part.js';

/** What cameras see now. A file of its own: most visits do without it. */
export const LookGrid = part(async () => (await import('./look-grid.js')).LookGrid);

/** The schema library, imported here and nowhere else: what comes from outside is parsed with it at the edge. */
export { z } from 'zod';

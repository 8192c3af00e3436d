import { z } from 'zod';

// No code made from strings: the page's content security policy forbids it, and the camera and the cloud need no more.
z.config({ jitless: true });

/** The schema library, imported here and nowhere else: what comes from outside is parsed with it at the edge. */
export { z };

import { z } from 'zod';

// zod's compiler needs eval, which the page's content security policy forbids. Camera and cloud do not need the speed.
z.config({ jitless: true });

/** The schema library, imported here only. Input from outside is parsed with it where it enters. */
export { z };

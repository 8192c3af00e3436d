/** The one place that names what shortens the names in a camera's program. */
import { minify } from 'terser';

/**
 * Gives the variables of a script short names: its text lies in a camera's memory. Functions and classes keep theirs, as a stack
 * trace from the field has to name them. esbuild keeps names too, by redefining `name` at each start, which turns the properties
 * of thousands of functions into dictionaries.
 */
export async function shortenVariables(script: string): Promise<string> {
  const { code } = await minify(script, {
    ecma: 2020,
    compress: false,
    mangle: { keep_fnames: true, keep_classnames: true },
    format: { ascii_only: true, comments: 'some' },
  });
  if (code === undefined) throw new Error('terser gave nothing');
  return code;
}

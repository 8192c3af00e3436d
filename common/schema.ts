/**
 * The schema library, imported here only. Input from outside is parsed with it where it enters. Only the functions that are
 * used reach a bundle, so users write `import * as v`.
 */
import {
  getDotPath,
  maxValue,
  minValue,
  number,
  pipe,
  rawTransform,
  safeInteger,
  safeParse,
  setGlobalMessage,
  string,
  type BaseIssue,
  type GenericSchema,
  type InferOutput,
} from 'valibot';
import { fromBase64, fromHex } from './bytes.js';

export * from 'valibot';

// The library's own messages repeat the input, which may be a secret.
setGlobalMessage(({ expected }) => (expected === null ? 'not valid' : `expected ${expected}`));

/** Returns the value that a schema makes of an input. @throws TypeError that holds nothing of the input */
export function parse<const S extends GenericSchema>(schema: S, input: unknown): InferOutput<S> {
  const result = safeParse(schema, input);
  if (result.success) return result.output;
  throw new TypeError(whatIsWrong(result.issues));
}

/** Says in one line where an input is wrong, and what was expected there. `whole` names the input itself. */
export function whatIsWrong([issue]: readonly [BaseIssue<unknown>, ...BaseIssue<unknown>[]], whole = 'input'): string {
  return `${getDotPath(issue) ?? whole}: ${issue.message}`;
}

/** A whole number that JavaScript holds exactly, within these bounds, both included. */
export function int(min = Number.MIN_SAFE_INTEGER, max = Number.MAX_SAFE_INTEGER, message?: string) {
  return pipe(number(message), safeInteger(message), minValue(min, message), maxValue(max, message));
}

/** Returns the action that reads a value in another form. Where `read` returns undefined the value is refused. */
export function readAs<I, O>(read: (value: I) => O | undefined, message: string) {
  return rawTransform<I, O>(({ dataset, addIssue, NEVER }) => {
    const value = read(dataset.value);
    if (value !== undefined) return value;
    addIssue({ message });
    return NEVER;
  });
}

/** Bytes in base64. */
export const base64Bytes = pipe(string(), readAs(fromBase64, 'not base64'));

/** Returns the schema of `length` bytes in hex. */
export function hexBytes(length: number) {
  return pipe(
    string(),
    readAs((text: string) => fromHex(text, length), 'not hex'),
  );
}

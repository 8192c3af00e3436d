import { SealcamError } from './errors.js';

/**
 * Serialises plain data: text, numbers, booleans, null, arrays, and objects made by a literal. Bytes and instances of
 * classes are refused, since they hold pictures, keys or the state of the program, which nobody may print by accident.
 *
 * @throws SealcamError `internal` naming the place of what is not plain
 */
export function plainJson(value: unknown): string {
  requirePlain(value, '');
  return JSON.stringify(value);
}

function requirePlain(value: unknown, place: string): void {
  if (typeof value !== 'object' || value === null) return;
  const prototype: unknown = Object.getPrototypeOf(value);
  if (prototype !== Object.prototype && prototype !== Array.prototype && prototype !== null) {
    const { name = 'object' } = (prototype as { readonly constructor: { readonly name?: string } }).constructor;
    throw new SealcamError('internal', `${place === '' ? 'the value' : place} is a ${name}, which is never printed`);
  }
  for (const [key, inner] of Object.entries(value)) requirePlain(inner, place === '' ? key : `${place}.${key}`);
}

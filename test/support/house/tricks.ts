import { RIDDLES, VAGUE_NAMES } from '../words.js';
import { parseFile, type Sources } from './parse.js';

/** Literals that are spread where their parts could stand, only to keep lines short. */
export function spreadLiterals(sources: Sources): string[] {
  return Object.entries(sources).flatMap(([path, text]) =>
    parseFile(path, text).spreadLiterals.map(
      (line) => `${path}:${String(line)} spreads a literal: write its parts out`,
    ),
  );
}

/** Methods, functions and constants whose name does not say what is done, or how much of what. */
export function vagueNames(sources: Sources): string[] {
  return Object.entries(sources).flatMap(([path, text]) => {
    const methods = parseFile(path, text).methods.filter((name) => VAGUE_NAMES.has(name));
    const constants = [...RIDDLES].filter((name) => new RegExp(String.raw`\b${name}\b`).test(text));
    return [...methods, ...constants].map((name) => `${path}: ${name} does not say what it does`);
  });
}

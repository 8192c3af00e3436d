import { describe, expect, it } from 'vitest';
import { codeFiles, pages, trackedFiles, wordFiles } from '../../../support/house/sources.js';
import { staleMentions } from '../../../support/house/mentions.js';
import { spreadLiterals, vagueNames } from '../../../support/house/tricks.js';
import { oldWords, RIDDLES, VAGUE_NAMES, WORDS } from '../../../support/words.js';

describe('plain English', () => {
  it('uses none of the words to avoid, in code, tests, messages and documents', () => {
    const files = wordFiles();
    expect(Object.keys(files).length).toBeGreaterThan(500);
    expect(Object.entries(files).flatMap(([path, text]) => oldWords(path, text))).toEqual([]);
  });

  it.each(WORDS)('notices "$example", and leaves a quotation alone', ({ example }) => {
    expect(oldWords('docs/x.md', `It ${example} here.`)).toHaveLength(1);
    expect(oldWords('x.ts', `// It ${example.toUpperCase()} here.`)).toHaveLength(1);
    expect(oldWords('docs/x.md', `> It ${example} here.\n\nThey wrote “it ${example} here”.`)).toEqual([]);
  });

  it('names methods and constants after what they do and hold', () => {
    expect(vagueNames(codeFiles())).toEqual([]);
  });

  it.each([...VAGUE_NAMES])('notices a method named %s', (name) => {
    expect(vagueNames({ 'agent/main/x.ts': `class A { ${name}(): void {} }` })).toHaveLength(1);
    expect(vagueNames({ 'agent/main/x.ts': `export function ${name}(): void {}` })).toHaveLength(1);
  });

  it.each([...RIDDLES])('notices a constant named %s', (name) => {
    expect(vagueNames({ 'agent/main/x.ts': `const ${name} = 0.1;` })).toHaveLength(1);
  });
});

describe('formatting', () => {
  it('spreads no literal to keep a line short', () => {
    expect(spreadLiterals(codeFiles())).toEqual([]);
  });

  // Put together here, so that the sources hold none.
  it.each(['({ a, b })', '{ a, b }', '([a, b] as const)'])('notices a spread of %s', (literal) => {
    const spread = ['..', '.'].join('') + literal;
    const text = literal.includes('[') ? `f(${spread});` : `const c = { ${spread}, d: 1 };`;
    expect(spreadLiterals({ 'x.ts': text })).toHaveLength(1);
  });

  it('leaves a spread alone that depends on a condition', () => {
    expect(spreadLiterals({ 'x.ts': 'const c = { ...(a === undefined ? {} : { a }), ...rest };' })).toEqual([]);
  });
});

describe('documents', () => {
  it('name no file, folder or test that is gone', () => {
    expect(staleMentions(pages(), trackedFiles())).toEqual([]);
  });

  it.each([
    ['a link', 'See [the file](../agent/gone.ts).'],
    ['a picture', '<img src="pictures/gone.png" alt="">'],
    ['code voice', 'It is in `agent/main/gone.ts`.'],
    ['a test', 'It is tested (gone.test.ts).'],
  ])('are caught when they name something that is gone: %s', (_, text) => {
    expect(staleMentions({ 'docs/x.md': text }, ['agent/main/agent.ts', 'docs/x.md'])).toHaveLength(1);
  });

  it('may name what is there, an address, and a command in a fence', () => {
    const text = '[a](../agent/main/agent.ts#L1) `agent/main` [b](https://example.org/x)\n```\nls agent/gone.ts\n```';
    expect(staleMentions({ 'docs/x.md': text }, ['agent/main/agent.ts'])).toEqual([]);
  });
});

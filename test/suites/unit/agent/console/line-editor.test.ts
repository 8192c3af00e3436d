import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { completions } from '../../../../../agent/console/commands/index.js';
import { LINE_MAX, LineEditor, type EditorEffect } from '../../../../../agent/console/line-editor.js';

const editor = (): LineEditor => new LineEditor(() => '> ', completions);
const typed = (to: LineEditor, text: string): EditorEffect[] => to.push(Buffer.from(text, 'latin1'));
const lines = (effects: readonly EditorEffect[]): string[] =>
  effects.flatMap((effect) => (effect.type === 'line' ? [effect.text] : []));
const written = (effects: readonly EditorEffect[]): string =>
  effects.map((effect) => (effect.type === 'write' ? effect.text : '')).join('');

describe('line editor', () => {
  it.each([
    ['a line', 'status\r', ['status']],
    ['CR LF as one end', 'id\r\nid\r\n', ['id', 'id']],
    ['LF alone', 'id\n', ['id']],
    ['backspace', 'stax\x7ftus\r', ['status']],
    ['Ctrl-U', 'garbage\x15id\r', ['id']],
    ['Ctrl-W', 'log tail\x17level\r', ['log level']],
    ['cursor keys', 'tatus\x1b[D\x1b[D\x1b[D\x1b[D\x1b[Ds\r', ['status']],
    ['home and end', 'tatus\x1b[Hs\x1b[F --json\r', ['status --json']],
    ['delete', 'xid\x01\x1b[3~\r', ['id']],
    ['an unknown escape sequence', 'i\x1b[99;99Rd\r', ['id']],
    ['bytes that are not text', 'i\xff\x00\x07d\r', ['id']],
  ])('understands %s', (_, text, expected) => {
    expect(lines(typed(editor(), text))).toEqual(expected);
  });

  it('recalls what was typed, but never a token', () => {
    const at = editor();
    expect(lines(typed(at, 'id\rqueue\runlock c2VjcmV0\r\x1b[A\r'))).toEqual([
      'id',
      'queue',
      'unlock c2VjcmV0',
      'queue',
    ]);
    expect(lines(typed(at, '\x1b[A\x1b[A\r'))).toEqual(['id']);
    expect(lines(typed(at, '\x1b[A\x1b[B\r'))).toEqual(['']);
  });

  it('completes, and shows the choices', () => {
    expect(lines(typed(editor(), 'sel\t\r'))).toEqual(['selftest']);
    expect(lines(typed(editor(), 'upl\tst\t\r'))).toEqual(['uplink status']);
    expect(written(typed(editor(), 'motion \t'))).toContain('why  watch  trigger');
  });

  it('drops a line that is too long, and continues after it', () => {
    const effects = typed(editor(), `${'x'.repeat(LINE_MAX + 1000)}\rid\r`);
    expect(effects.filter(({ type }) => type === 'overlong')).toHaveLength(1);
    expect(lines(effects)).toEqual(['id']);
  });

  it('interrupts', () => {
    const effects = typed(editor(), 'half\x03id\r');
    expect(effects.some(({ type }) => type === 'interrupt')).toBe(true);
    expect(lines(effects)).toEqual(['id']);
  });

  it('survives any bytes: lines stay bounded and printable', () => {
    fc.assert(
      fc.property(fc.array(fc.uint8Array({ maxLength: 400 }), { maxLength: 8 }), (chunks) => {
        const at = editor();
        for (const chunk of chunks) {
          for (const line of lines(at.push(chunk))) {
            expect(line.length).toBeLessThanOrEqual(LINE_MAX);
            expect(line).toMatch(/^[ -~]*$/);
          }
        }
      }),
      { numRuns: 300 },
    );
  });
});

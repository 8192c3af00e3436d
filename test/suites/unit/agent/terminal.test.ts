import { describe, expect, it } from 'vitest';
import { Terminal } from '../../../../agent/cli/terminal.js';

function world(isErrorsTty: boolean) {
  const written: string[] = [];
  const stream = (name: string, isTTY: boolean) => ({
    isTTY,
    write: (text: string) => written.push(`${name}: ${text}`),
  });
  const terminal = new Terminal(stream('out', true), stream('err', isErrorsTty));
  const console = { printAbove: (text: string) => void written.push(`above: ${text}`) };
  return { written, terminal, console };
}

describe('the terminal of a camera', () => {
  it('prints the log above what is typed while its console is there', () => {
    const { written, terminal, console } = world(true);
    terminal.write('before\n');
    terminal.attach(console);
    terminal.write('during\n');
    terminal.show('a\nsheet\n');
    terminal.detach();
    terminal.write('after\n');
    terminal.show('closed\n');
    expect(written).toEqual([
      'err: before\n',
      'above: during\r\n',
      'above: a\r\nsheet\r\n',
      'err: after\n',
      'out: closed\n',
    ]);
  });

  it('leaves a log that is redirected where it goes', () => {
    const { written, terminal, console } = world(false);
    terminal.attach(console);
    terminal.write('a line\n');
    expect(written).toEqual(['err: a line\n']);
  });
});

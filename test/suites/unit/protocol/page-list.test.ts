import { describe, expect, it } from 'vitest';
import { fromBase64, toBase64, utf8 } from '../../../../common/bytes.js';
import { nodeSuite } from '../../../../protocol/crypto/node.js';
import { tweetnaclSuite } from '../../../../protocol/crypto/tweetnacl.js';
import {
  formatMakerKey,
  parseMakerKey,
  parseMakerSecret,
  signMinisign,
  verifyMinisign,
} from '../../../../protocol/page/minisign.js';
import { formatPageList, openPageList } from '../../../../protocol/page/page-list.js';
import { codeOf } from '../../../support/codes.js';
import { makerSecret, makerSecretFile } from '../../../support/maker-key.js';

/** Made by minisign 0.11: `minisign -G -W`, `printf hello > m`, `minisign -S -m m -t 'a comment'`. */
const MINISIGN = {
  publicKey: 'RWR0XABRQMJD88uRmZKkmsaKn1Cscx7VOrMOhkBzo7BrYvzxEP0xdqtH',
  signature: [
    'untrusted comment: signature from minisign secret key',
    'RUR0XABRQMJD84DizNpYwsCdMtEMlBPFNOG2DKdhnKTFXXfuP7eVsPT7rqWjPMd14YzRm6wPlXaxevHyUujTLjd4KoHuHu42ggg=',
    'trusted comment: a comment',
    '2O13kikfhcujZvp91XZItB9SdBpiutsr5DjbdXzu4DWKFMOuZ5a7iiJxsYUpYW6hftYQG1XHNGgooD3ZsN69BQ==',
    '',
  ].join('\n'),
};
const maker = makerSecret(1);
const message = utf8('the list');
const file = (path: string): { path: string; length: number; sha256: string } => ({
  path,
  length: 1,
  sha256: 'ab'.repeat(32),
});
const LIST = { number: 3, version: '0.2.0', files: [file('index.html'), file('sw.js'), file('assets/a-1.js')] };

describe('a signature of the maker', () => {
  it('is one that minisign made, with both suites', () => {
    for (const suite of [nodeSuite, tweetnaclSuite]) {
      const key = parseMakerKey(MINISIGN.publicKey);
      expect(verifyMinisign(suite, key, utf8('hello'), MINISIGN.signature)).toBe('a comment');
      expect(codeOf(() => verifyMinisign(suite, key, utf8('hellO'), MINISIGN.signature))).toBe('bad-signature');
    }
  });

  it('is refused where a byte of the message, the signature or the comment is another', () => {
    const signature = signMinisign(maker, message, 'number 3');
    expect(verifyMinisign(nodeSuite, maker.key, message, signature)).toBe('number 3');
    const lines = signature.split('\n');
    const flipped = (line: number, at: number): string => {
      const bytes = fromBase64(lines[line] ?? '') ?? new Uint8Array();
      bytes[at] = (bytes[at] ?? 0) ^ 1;
      return lines.map((text, i) => (i === line ? toBase64(bytes) : text)).join('\n');
    };
    const codes = [
      flipped(1, 20),
      flipped(3, 0),
      signature.replace('number 3', 'number 4'),
      flipped(1, 3),
      flipped(1, 1),
      signature.replace('untrusted', 'trusted'),
      lines.slice(0, 2).join('\n'),
      '',
    ].map((text) => codeOf(() => verifyMinisign(nodeSuite, maker.key, message, text)));
    const [bad, malformed] = ['bad-signature', 'malformed'];
    expect(codes).toEqual([bad, bad, bad, 'foreign', malformed, malformed, malformed, malformed]);
  });

  it("is refused of another maker's key, also under the same id", () => {
    const other = makerSecret(2);
    const signature = signMinisign({ key: { ...other.key, id: maker.key.id }, signer: other.signer }, message, 'x');
    expect(codeOf(() => verifyMinisign(nodeSuite, maker.key, message, signature))).toBe('bad-signature');
  });
});

describe('keys of the maker', () => {
  it('are read as minisign writes them, and written so', () => {
    const line = formatMakerKey(maker.key);
    expect(line).toMatch(/^RW/);
    expect(parseMakerKey(`untrusted comment: minisign public key\n${line}\n`)).toEqual(maker.key);
    expect(parseMakerKey(line)).toEqual(maker.key);
    for (const text of ['', 'RWQ', `${line}AA`, line.replace('RW', 'RX')]) {
      expect(codeOf(() => parseMakerKey(text))).toBe('key-file-invalid');
    }
  });

  it('are refused with a password or a damaged byte', () => {
    const [comment = '', line = ''] = makerSecretFile(1).split('\n');
    const altered = (at: number): string => {
      const bytes = fromBase64(line) ?? new Uint8Array();
      bytes[at] = (bytes[at] ?? 0) ^ 1;
      return `${comment}\n${toBase64(bytes)}\n`;
    };
    expect(parseMakerSecret(nodeSuite, makerSecretFile(1)).key).toEqual(maker.key);
    for (const text of ['', line, altered(0), altered(2), altered(70), altered(100)]) {
      expect(codeOf(() => parseMakerSecret(nodeSuite, text))).toBe('key-file-invalid');
    }
  });
});

describe("the page's list", () => {
  const open = (text: string): unknown => {
    const bytes = utf8(text);
    return openPageList(nodeSuite, maker.key, bytes, signMinisign(maker, bytes, 'x'));
  };

  it('names the worker first, then the other files in one order', () => {
    const text = formatPageList(LIST);
    const paths = ['sw.js', 'assets/a-1.js', 'index.html'];
    expect(open(text)).toEqual({ format: 'sealcam/page/v1', ...LIST, files: paths.map(file) });
    expect(formatPageList({ ...LIST, files: [...LIST.files].reverse() })).toBe(text);
  });

  it.each([
    ['no JSON', 'x', 'malformed'],
    ['a later format', formatPageList(LIST).replace('page/v1', 'page/v2'), 'unsupported'],
    ['no worker', formatPageList({ ...LIST, files: [file('index.html'), file('a.js')] }), 'malformed'],
    ['no start', formatPageList({ ...LIST, files: [file('sw.js'), file('a.js')] }), 'malformed'],
    ['a file twice', formatPageList({ ...LIST, files: [...LIST.files, file('index.html')] }), 'malformed'],
    ['number 0', formatPageList({ ...LIST, number: 0 }), 'malformed'],
    ['half a number', formatPageList({ ...LIST, number: 1.5 }), 'malformed'],
    ['a hash of 31 bytes', formatPageList(LIST).replace('abab', 'ab'), 'malformed'],
  ])('is refused with %s', (_what, text, code) => {
    expect(open(formatPageList(LIST))).toBeDefined();
    expect(codeOf(() => open(text))).toBe(code);
  });

  it.each(['../a.js', '/a.js', 'a//b.js', 'a/../b.js', 'https://x/a.js', 'a?b.js', 'a b.js', '.hidden', 'a\\b.js'])(
    'is refused with the path %s',
    (path) => {
      const text = formatPageList({ ...LIST, files: [...LIST.files, file(path)] });
      expect(codeOf(() => open(text))).toBe('malformed');
    },
  );

  it('is not read before its signature is right', () => {
    const bytes = utf8('x');
    const signature = signMinisign(makerSecret(2), bytes, 'x');
    expect(codeOf(() => openPageList(nodeSuite, maker.key, bytes, signature))).toBe('foreign');
  });
});

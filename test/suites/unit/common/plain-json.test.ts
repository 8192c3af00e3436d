import { describe, expect, it } from 'vitest';
import { SealcamError } from '../../../../common/errors.js';
import { plainJson } from '../../../../common/plain-json.js';
import { nodeSuite } from '../../../../protocol/crypto/node.js';

class Session {
  readonly frame = { jpeg: new Uint8Array(1000) };
}

describe('plain JSON', () => {
  it('serialises plain data as JSON does', () => {
    const value = { a: [1, 'two', true, null, { b: undefined }], c: {} };
    expect(plainJson(value)).toBe(JSON.stringify(value));
    expect(plainJson('text')).toBe('"text"');
  });

  it.each([
    ['a picture', { frame: { jpeg: new Uint8Array([0xff, 0xd8]) } }, 'frame.jpeg is a Uint8Array'],
    ['a key', { key: Buffer.from('secret') }, 'key is a Buffer'],
    ['a session that holds a frame', { camera: new Session() }, 'camera is a Session'],
    ['a list with a map', { list: [new Map()] }, 'list.0 is a Map'],
    ['a bare picture', new Uint8Array(1), 'the value is a Uint8Array'],
  ])('refuses %s', (_, value, message) => {
    expect(() => plainJson(value)).toThrow(SealcamError);
    expect(() => plainJson(value)).toThrow(message);
  });

  it("refuses a signer's public key, of which JSON.stringify would write an object of numbers", () => {
    const { publicKey } = nodeSuite.ed25519Signer(new Uint8Array(32));
    expect(JSON.stringify({ publicKey })).toContain('"0":');
    expect(() => plainJson({ publicKey })).toThrow('publicKey is a Uint8Array');
  });
});

import { describe, expect, it } from 'vitest';
import { loadPushKey } from '../../../../cloud/push/push-key.js';
import { pushRequest } from '../../../../cloud/push/web-push.js';
import { realRandom } from '../../../../common/adapters/real-random.js';
import { LIMITS } from '../../../../common/limits.js';
import { checkVapid, PushReceiver } from '../../../support/engines/push-service.js';
import { codeOf } from '../../../support/codes.js';
import { tempFolder } from '../../../support/runner/temp.js';
import { chmodSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

const bytes = (text: string): Uint8Array => new Uint8Array(Buffer.from(text, 'base64url'));

/** RFC 8291, appendix A, and section 5. */
const EXAMPLE = {
  privateKey: bytes('q1dXpw3UpT5VOmu_cf_v6ih07Aems3njxI-JWgLcM94'),
  publicKey: 'BCVxsr7N_eNgVRqvHtD0zTZsEc6-VV-JvLexhqUzORcxaOzi6-AYWXvTBHm4bjyPjs7Vd8pZGH6SRpkNtoIAiw4',
  auth: bytes('BTBZMqHH6r4Tts7J_aSIgg'),
  body: bytes(
    'DGv6ra1nlYgDCS1FRnbzlwAAEABBBP4z9KsN6nGRTbVYI_c7VJSPQTBtkgcy27mlmlMoZIIgDll6e3vCYLocInmYWAmS6TlzAC8wEqKK6PBru3jl7A_yl95bQpu6cVPTpK4Mqgkf1CXztLVBSt2Ks3oZwbuwXPXLWyouBWLVWGNWQexSgSxsj_Qulcy4a-fN',
  ),
  text: 'When I grow up, I want to be a watermelon',
} as const;

describe('the push service of the tests', () => {
  it('opens the example of RFC 8291, and not with another secret', () => {
    const receiver = new PushReceiver(EXAMPLE);
    expect(receiver.keys.p256dh).toBe(EXAMPLE.publicKey);
    expect(Buffer.from(receiver.open(Buffer.from(EXAMPLE.body))).toString()).toBe(EXAMPLE.text);
    const other = new PushReceiver({ ...EXAMPLE, auth: realRandom.bytes(16) });
    expect(() => other.open(Buffer.from(EXAMPLE.body))).toThrow();
  });
});

describe('a push message', () => {
  const key = loadPushKey(tempFolder(), realRandom);
  const sender = { key, contact: 'mailto:operator@cloud.example' };
  const options = { ttlS: 3600, urgency: 'high', topic: 'abc' } as const;
  const endpoint = 'https://push.example:8443/one';

  it('is opened by its receiver alone, says who sends it and to which service, and no more than 4,096 bytes', () => {
    const receiver = new PushReceiver();
    const [p256dh, auth] = [bytes(receiver.keys.p256dh), bytes(receiver.keys.auth)];
    const payload = realRandom.bytes(LIMITS.noticeBytes);
    payload[payload.length - 1] = 1;
    const { headers, body } = pushRequest({ endpoint, p256dh, auth }, payload, sender, options);
    expect(receiver.open(Buffer.from(body))).toEqual(payload);
    expect(() => new PushReceiver().open(Buffer.from(body))).toThrow();
    expect(body.length).toBeLessThanOrEqual(4096);
    expect(headers).toMatchObject({ TTL: 3600, Urgency: 'high', Topic: 'abc', 'Content-Encoding': 'aes128gcm' });
    const vapid = checkVapid(headers['Authorization']);
    expect(vapid).toMatchObject({ key: key.publicKey, subject: sender.contact, audience: 'https://push.example:8443' });
    expect(vapid.expiresS - Date.now() / 1000).toBeGreaterThan(0);
    expect(vapid.expiresS - Date.now() / 1000).toBeLessThanOrEqual(86_400);
    const altered = (headers['Authorization'] ?? '').replace(/\.[\w-]/, '.A');
    expect(() => checkVapid(altered)).toThrow();
  });
});

describe('the key for push services', () => {
  it('is made once, and is the same at the next start', () => {
    const folder = tempFolder();
    const first = loadPushKey(folder, realRandom);
    expect(loadPushKey(folder, realRandom)).toEqual(first);
    expect(loadPushKey(tempFolder(), realRandom)).not.toEqual(first);
    expect(bytes(first.publicKey)).toHaveLength(65);
  });

  it('is refused where others may read its file, or where it is no key of the curve', () => {
    const folder = tempFolder();
    loadPushKey(folder, realRandom);
    const path = join(folder, 'push.seed');
    chmodSync(path, 0o640);
    expect(codeOf(() => loadPushKey(folder, realRandom))).toBe('key-file-invalid');
    chmodSync(path, 0o600);
    expect(codeOf(() => loadPushKey(folder, realRandom))).toBe('accepted');
    writeFileSync(path, new Uint8Array(32).fill(255));
    expect(codeOf(() => loadPushKey(folder, realRandom))).toBe('key-file-invalid');
  });
});

import { describe, expect, it } from 'vitest';
import { isPublicAddress, isPushService, PushServices, WELL_KNOWN_SERVICES } from '../../../../cloud/push/endpoint.js';
import { codeOf } from '../../../support/codes.js';

const services = new PushServices([...WELL_KNOWN_SERVICES, 'push.home.example:8443', '172.16.2.3', '[fd00::1]:444']);

describe('an endpoint', () => {
  it.each([
    'https://fcm.googleapis.com/fcm/send/abc:def',
    'https://FCM.googleapis.com:443/fcm/send/abc',
    'https://updates.push.services.mozilla.com/wpush/v2/abc?x=1',
    'https://wns2-par02p.notify.windows.com/w/?token=abc',
    'https://web.push.apple.com/abc',
    'https://push.home.example:8443/x',
    'https://172.16.2.3/x',
    'https://[fd00::1]:444/x',
  ])('of a listed service is accepted: %s', (endpoint) => {
    expect(codeOf(() => services.check(endpoint))).toBe('accepted');
  });

  it.each([
    ['of another service', 'https://push.example/x'],
    ['http', 'http://fcm.googleapis.com/x'],
    ['of another port', 'https://fcm.googleapis.com:8443/x'],
    ['of another port of a listed one', 'https://push.home.example/x'],
    ['that only begins like one', 'https://fcm.googleapis.com.example/x'],
    ['that only ends like one', 'https://evilfcm.googleapis.com/x'],
    ['under one that is not listed so', 'https://a.fcm.googleapis.com/x'],
    ['of the suffix itself', 'https://notify.windows.com/x'],
    ['that only ends like the suffix', 'https://evilnotify.windows.com/x'],
    ['with a dot behind', 'https://fcm.googleapis.com./x'],
    ['with credentials', 'https://a:b@fcm.googleapis.com/x'],
    ['with a user alone', 'https://a@fcm.googleapis.com/x'],
    ['with a host as credentials', 'https://fcm.googleapis.com@127.0.0.1/x'],
    ['with a fragment', 'https://fcm.googleapis.com/x#y'],
    ['an address', 'https://127.0.0.1/x'],
    ['an address in one number', 'https://2130706433/x'],
    ['an address in hex', 'https://0x7f.1/x'],
    ['an address of IPv6', 'https://[::1]/x'],
    ['an IPv4 address in IPv6', 'https://[::ffff:172.16.2.3]/x'],
    ['the neighbour of a listed address', 'https://172.16.2.4/x'],
    ['no URL', 'fcm.googleapis.com'],
    ['of more than 1,024 bytes', `https://fcm.googleapis.com/${'x'.repeat(1000)}`],
  ])('is refused: %s', (_, endpoint) => {
    expect(codeOf(() => services.check(endpoint))).toBe('request-invalid');
  });
});

describe('a push service in the settings', () => {
  it.each(['a.example', 'a.example:8443', '*.a.example', '172.16.0.1', '172.16.0.1:444', '[fd00::1]:444', 'fd00::1'])(
    'is one: %s',
    (text) => {
      expect(isPushService(text)).toBe(true);
    },
  );

  it.each([
    '',
    '*',
    '*.172.16.0.1',
    'https://a.example',
    'a.example/x',
    'a@b.example',
    'a b',
    '172.16.0.0/8',
    'A.example',
  ])('is not one: %s', (text) => {
    expect(isPushService(text)).toBe(false);
  });
});

describe('an address', () => {
  it.each(['8.8.8.8', '142.250.74.10', '172.15.0.1', '100.128.0.1', '2a00:1450:4001:80b::200a', '2606:4700::1'])(
    'is public: %s',
    (address) => {
      expect(isPublicAddress(address)).toBe(true);
    },
  );

  it.each([
    '127.0.0.1',
    // As the house's test of names wants it.
    ['10', '0.0.1'].join('.'),
    '172.16.0.1',
    '192.168.1.1',
    '169.254.169.254',
    '100.64.0.1',
    '0.0.0.0',
    '224.0.0.1',
    '255.255.255.255',
    '::',
    '::1',
    '::ffff:8.8.8.8',
    '64:ff9b::7f00:1',
    'fe80::1',
    'fd00::1',
    'ff02::1',
    '2001::1',
    '2001:db8::1',
    '2002:7f00:1::',
    'fcm.googleapis.com',
    '',
  ])('is not public: %s', (address) => {
    expect(isPublicAddress(address)).toBe(false);
  });
});

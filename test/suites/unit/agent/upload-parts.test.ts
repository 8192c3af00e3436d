import { describe, expect, it } from 'vitest';
import { loadAgentConfig } from '../../../../agent/config/keys.js';
import { uploadUrl } from '../../../../agent/main/uploads.js';
import { LazyPut } from '../../../../agent/upload/lazy-put.js';
import { begin, emptied, measure, startPace, waitOf } from '../../../../agent/upload/pace.js';
import type { PutBody, Upload } from '../../../../agent/upload/put.js';
import { afterFailure, READY } from '../../../../agent/upload/upload-backoff.js';
import { codeOf } from '../../../support/codes.js';

function urlOf(uplink: string, told = ''): string {
  const environment = { SEALCAM_UPLINK_URL: uplink, SEALCAM_CLIP_UPLOAD_URL: told };
  return uploadUrl(loadAgentConfig({ file: null, environment }));
}

describe('the server of the clips', () => {
  it('is the one of the settings, else the host of the broker', () => {
    expect(urlOf('mqtts://broker.example:8883')).toBe('https://broker.example');
    expect(urlOf('mqtts://[2001:db8::1]:8883')).toBe('https://[2001:db8::1]');
    expect(urlOf('mqtt://127.0.0.1:1883')).toBe('http://127.0.0.1:8080');
    expect(urlOf('mqtts://broker.example', 'https://clips.example:444/base')).toBe('https://clips.example:444/base');
  });

  it('has no user name, no password and no other scheme in its address', () => {
    for (const told of [
      'https://user:secret@clips.example',
      'https://clips.example/?key=1',
      'ftp://x',
      'clips.example',
    ])
      expect(codeOf(() => urlOf('mqtt://127.0.0.1', told))).toBe('config-invalid-value');
    expect(codeOf(() => urlOf('mqtt://127.0.0.1', 'https://clips.example'))).toBe('accepted');
  });
});

describe('the bucket of uploads', () => {
  it('fills at half of the fastest of the last eight bodies', () => {
    // A slow cloud, a fast answer, a small body that says nothing.
    let pace = measure(measure(startPace(0, null), 0, 65_536, 6553.6), 0, 65_536, 655.36);
    pace = measure(pace, 0, 100, 1);
    pace = begin(pace, 0, 100_000);
    expect(waitOf(pace, 0)).toBeCloseTo(100_000 / 50);
    // The line became slow: after eight bodies that is known.
    for (let i = 0; i < 8; i++) pace = measure(pace, 0, 65_536, 6553.6);
    expect(waitOf(pace, 0)).toBeCloseTo(100_000 / 5);
  });

  it('does not wait before anything was measured, and keeps its debts when it is emptied', () => {
    const pace = begin(startPace(0, null), 0, 100_000);
    expect(waitOf(pace, 0)).toBe(0);
    const told = begin(startPace(0, 50_000), 0, 100_000);
    expect(waitOf(emptied(told, 1000), 1000)).toBeCloseTo(1000);
  });

  it('never fills slower than a cloud lets a body come', () => {
    const pace = begin(measure(startPace(0, null), 0, 65_536, 1e9), 0, 40_000);
    expect(waitOf(pace, 0)).toBeCloseTo(10_000);
  });
});

describe('the wait after a failed upload', () => {
  const at = (nowMs: number, uniform: number, windowMs = 300_000): Parameters<typeof afterFailure>[2] => ({
    nowMs,
    windowMs,
    uniform,
  });

  it('is anywhere in the window of the uplink at first, then around it', () => {
    expect(afterFailure(READY, 'failed', at(0, 0)).dueMs).toBe(0);
    expect(afterFailure(READY, 'failed', at(0, 0.99)).dueMs).toBeCloseTo(297_000);
    const once = afterFailure(READY, 'failed', at(0, 0.5));
    expect(afterFailure(once, 'failed', at(150_000, 0)).dueMs).toBe(150_000 + 225_000);
  });

  it('grows once for failures at the same time', () => {
    const once = afterFailure(READY, 'busy', at(0, 0.5));
    expect(once.effectiveWindowMs).toBe(600_000);
    expect(afterFailure(once, 'busy', at(1, 0.5))).toBe(once);
  });

  it('is never shortened by what a server asks for later', () => {
    const once = afterFailure(READY, 'busy', at(0, 0.5), 600_000);
    expect(afterFailure(once, 'busy', at(1, 0.5), 5000).dueMs).toBe(once.dueMs);
  });
});

describe('what brings bodies', () => {
  const upload: Upload = { path: '/', length: 0, read: () => null, giveWay: () => Promise.resolve() };

  it('is loaded with the first one, once, and closed if the program ends meanwhile', async () => {
    let [loads, puts, closes] = [0, 0, 0];
    const made: PutBody = {
      put: () => {
        puts++;
        return Promise.resolve(null);
      },
      close: () => {
        closes++;
      },
    };
    const lazy = new LazyPut(() => {
      loads++;
      return Promise.resolve(made);
    });
    expect(loads).toBe(0);
    await Promise.all([lazy.put(upload), lazy.put(upload)]);
    expect([loads, puts, closes]).toEqual([1, 2, 0]);
    lazy.close();
    await lazy.put(upload);
    expect(closes).toBeGreaterThan(0);
    new LazyPut(() => Promise.reject(new Error('loaded without need'))).close();
  });
});

import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import sharp from 'sharp';
import { describe, expect, it } from 'vitest';
import { run } from '../../support/engines/command.js';
import { tempFolder } from '../../support/runner/temp.js';

const RATE = { SEALCAM_CAMERA_FRAMES_PER_SECOND: '5' };

describe('sealcam replay --explain', () => {
  it('draws a sheet of each event and of each near miss, sorted by time, and a sheet of all pictures', async () => {
    const folder = tempFolder();
    const sheets = join(folder, 'sheets');
    const all = join(folder, 'all.png');
    const { status, json, stderr } = run(
      'sealcam',
      ['replay', 'mock:lamp', '--json', '--explain', sheets, '--contact-sheet', all],
      RATE,
    );
    expect(status, stderr).toBe(0);
    const names = readdirSync(sheets);
    const events = names.filter((name) => /^\d{8}-event\.png$/.test(name));
    expect(events).toHaveLength(json.length);
    expect(events.length).toBeGreaterThan(0);
    for (const [i, name] of events.entries()) {
      expect(Number(name.slice(0, 8))).toBe((json[i] as Record<string, number>)['onset_ms']);
    }
    // The lamp is switched on and off while nobody is there.
    expect(names.filter((name) => /^\d{8}-light\.png$/.test(name)).length).toBeGreaterThan(0);
    for (const name of [...names.map((one) => join(sheets, one)), all]) {
      const { format, width, height } = await sharp(readFileSync(name)).metadata();
      expect([format, width]).toEqual(['png', 960]);
      expect(height).toBeGreaterThan(100);
    }
  });

  it('refuses a folder that is not empty', () => {
    const folder = tempFolder();
    writeFileSync(join(folder, 'mine.txt'), 'kept');
    const { status, stderr } = run('sealcam', ['replay', 'mock:walk', '--explain', folder], RATE);
    expect(status).toBe(2);
    expect(stderr).toContain('[usage-invalid]');
    expect(readdirSync(folder)).toEqual(['mine.txt']);
  });

  it('refuses an unknown scenario', () => {
    const folder = join(tempFolder(), 'sheets');
    const { status, stderr } = run('sealcam', ['replay', 'mock:nothing', '--explain', folder], RATE);
    expect(status).toBe(2);
    expect(stderr).toContain('scenarios are walk, quiet');
    expect(existsSync(folder)).toBe(false);
  });
});

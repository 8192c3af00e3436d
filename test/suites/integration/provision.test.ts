import { spawnSync } from 'node:child_process';
import { chmodSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import sharp from 'sharp';
import { describe, expect, it } from 'vitest';
import { run } from '../../support/engines/command.js';
import { limitMs } from '../../support/runner/speed.js';
import { tempFolder } from '../../support/runner/temp.js';
import { describeWith } from '../../support/engines/tools.js';
import { repository } from '../../support/vectors.js';

function provision(...args: readonly string[]): { readonly status: number | null; readonly out: string } {
  const path = join(repository, 'dist', 'scripts', 'provision.js');
  const { status, stdout, stderr } = spawnSync(process.execPath, [path, ...args], {
    encoding: 'utf8',
    timeout: limitMs(60_000),
  });
  return { status, out: stdout + stderr };
}

interface Provisioned {
  readonly device: string;
  readonly claim_code: string;
  readonly claim_link: string;
  readonly is_new: boolean;
}
const parse = (out: string): Provisioned => JSON.parse(out) as Provisioned;

describe('provisioning', () => {
  it('makes keys once, and the agent uses them', () => {
    const folder = join(tempFolder(), 'camera');
    const first = parse(provision('--data', folder, '--json').out);
    expect(first.is_new).toBe(true);
    expect(statSync(join(folder, 'device.seed')).mode & 0o777).toBe(0o600);
    const [shown] = run('sealcam', ['keygen', '--json'], { SEALCAM_DATA_FOLDER: folder }).json;
    expect(shown).toMatchObject({ device: first.device, claim_code: first.claim_code });
    expect(parse(provision('--data', folder, '--json').out)).toMatchObject({ device: first.device, is_new: false });
  });

  it('imports an identity, but never over another one', () => {
    const file = join(tempFolder(), 'identity.json');
    writeFileSync(file, JSON.stringify({ seed: '01'.repeat(32), claimSecret: '02'.repeat(16) }));
    const folder = join(tempFolder(), 'camera');
    const imported = parse(provision('--data', folder, '--import', file, '--json').out);
    expect(parse(provision('--data', join(tempFolder(), 'b'), '--import', file, '--json').out).device).toBe(
      imported.device,
    );
    writeFileSync(file, JSON.stringify({ seed: '03'.repeat(32), claimSecret: '02'.repeat(16) }));
    expect(provision('--data', folder, '--import', file)).toMatchObject({ status: 2 });
    expect(parse(provision('--data', folder, '--json').out).device).toBe(imported.device);
    writeFileSync(file, '{}');
    expect(provision('--data', folder, '--import', file).out).toContain('64');
    chmodSync(join(folder, 'device.seed'), 0o644);
    expect(provision('--data', folder).out).toContain('mode 644');
  });
});

describeWith('zbarimg', 'the label', () => {
  it('has the claim link in its QR code', async () => {
    const folder = tempFolder();
    const label = join(folder, 'label.png');
    const args = ['--data', join(folder, 'camera'), '--label', label, '--page', 'https://app.example/', '--json'];
    const { claim_link: link } = parse(provision(...args).out);
    const { width, height, density } = await sharp(label).metadata();
    expect({ width, height, density }).toEqual({ width: 732, height: 342, density: 300 });
    const { stdout } = spawnSync('zbarimg', ['-q', '--raw', label], { encoding: 'utf8' });
    expect(stdout.trim()).toBe(link);
  });
});

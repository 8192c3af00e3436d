import { spawnSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { loadCloudConfig } from '../../../../cloud/main/config.js';
import { mediaFolderOf } from '../../../../cloud/main/compose.js';
import { describeWith } from '../../../support/engines/tools.js';
import { tempFolder } from '../../../support/runner/temp.js';
import { repository } from '../../../support/vectors.js';

const read = (name: string): string => readFileSync(join(repository, 'packaging', 'cloud', name), 'utf8');
const UNIT = read('sealcam-cloud.service');
const IMAGE = read('Dockerfile');

/** Returns the values of each line that begins with this, in the last stage or section. */
function valuesOf(text: string, name: string): string[] {
  const lines = text.replaceAll(/ *\\\n */g, ' ').split('\n');
  return lines.filter((line) => line.startsWith(name)).map((line) => line.slice(name.length).trim());
}

/** Returns where the bodies of clips lie under these settings, and where the data lies. */
function foldersIn(settings: readonly string[]): { readonly data: string; readonly media: string } {
  const environment = Object.fromEntries(
    settings.map((one) => [one.slice(0, one.indexOf('=')), one.slice(one.indexOf('=') + 1)]),
  );
  delete environment['SEALCLOUD_CONFIG'];
  const config = loadCloudConfig({ file: null, environment });
  return { data: config['data.folder'], media: mediaFolderOf(config) };
}

/** Returns what is wrong with the places of a unit. */
function faultsOfUnit(unit: string): string[] {
  const { data, media } = foldersIn(valuesOf(unit, 'Environment='));
  const made = valuesOf(unit, 'StateDirectory=').flatMap((value) => value.split(' ').map((name) => `/var/lib/${name}`));
  const faults = [data, media].filter((folder) => !made.includes(folder)).map((folder) => `${folder} is not made`);
  if (!valuesOf(unit, 'RequiresMountsFor=').includes(media))
    faults.push('starts before the disk of the bodies is there');
  if (valuesOf(unit, 'StateDirectoryMode=').join() !== '0700') faults.push('others may read');
  if (valuesOf(unit, 'ProtectSystem=').join() !== 'strict') faults.push('may write elsewhere');
  return faults;
}

/** Returns what is wrong with the places of an image. */
function faultsOfImage(image: string): string[] {
  const last = image.slice(image.lastIndexOf('\nFROM '));
  const { data, media } = foldersIn(valuesOf(last, 'ENV '));
  const volumes = valuesOf(last, 'VOLUME ');
  const [user = ''] = valuesOf(last, 'USER ');
  const steps = valuesOf(last, 'RUN ').flatMap((line) => line.split(' && '));
  const closed = steps.filter((step) => step.startsWith('chmod 700 ')).flatMap((step) => step.split(' ').slice(2));
  const faults: string[] = [];
  for (const folder of [data, media]) {
    if (!volumes.includes(folder)) faults.push(`${folder} is no volume`);
    if (!closed.includes(folder)) faults.push(`others may read ${folder}`);
  }
  if (!/^\d+:\d+$/.test(user) || !steps.includes(`chown -R ${user} ${data}`)) faults.push('not of the user that runs');
  return faults;
}

describe('the cloud as it is installed', () => {
  it('has bodies of clips on a place that outlives it, and that only it may read', () => {
    expect(faultsOfUnit(UNIT)).toEqual([]);
    expect(faultsOfImage(IMAGE)).toEqual([]);
  });

  it('the control: each place that is missing or open is found', () => {
    const elsewhere = 'SEALCLOUD_MEDIA_FOLDER=/srv/clips';
    expect(faultsOfUnit(`${UNIT}Environment=${elsewhere}\n`)).toEqual([
      '/srv/clips is not made',
      'starts before the disk of the bodies is there',
    ]);
    expect(faultsOfUnit(UNIT.replace('StateDirectoryMode=0700', 'StateDirectoryMode=0755'))).toHaveLength(1);
    expect(faultsOfImage(`${IMAGE}ENV ${elsewhere}\n`)).toHaveLength(2);
    expect(faultsOfImage(IMAGE.replace('VOLUME /var/lib/sealcam-cloud/media\n', ''))).toHaveLength(1);
    expect(faultsOfImage(IMAGE.replace('USER 991:991', 'USER 992:992'))).toHaveLength(1);
  });
});

describeWith('systemd-notify', 'the unit of the cloud', () => {
  it('is one that systemd accepts without complaints', () => {
    const verify = (unit: string): string => {
      const path = join(tempFolder(), 'sealcam-cloud.service');
      writeFileSync(path, unit.replace('/usr/bin/sealcam-cloud', process.execPath));
      const { stdout, stderr } = spawnSync('systemd-analyze', ['verify', '--man=no', '--recursive-errors=no', path], {
        encoding: 'utf8',
      });
      return stdout + stderr;
    };
    expect(verify(UNIT)).toBe('');
    expect(verify(UNIT.replace('StateDirectory=', 'StateFolder='))).toContain('StateFolder');
  });
});

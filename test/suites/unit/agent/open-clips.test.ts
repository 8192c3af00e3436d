import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { openCommand } from '../../../../agent/cli/open.js';
import { toHex } from '../../../../common/bytes.js';
import { nodeSuite } from '../../../../protocol/crypto/node.js';
import { clipVectors, exportOf, type ClipCaseJson } from '../../../support/clip-vectors.js';
import { tempFolder } from '../../../support/runner/temp.js';
import { hex } from '../../../support/vectors.js';

type Opened = Exclude<ClipCaseJson['expect'], string>;

const NOTHING = toHex(nodeSuite.sha256(new Uint8Array(0)));

async function open(
  one: ClipCaseJson,
): Promise<{ readonly status: number; readonly file: string; readonly codes: string[] }> {
  const folder = tempFolder();
  const [path, key, out] = ['export.jsonl', 'owner.key', 'opened'].map((name) => join(folder, name)) as [
    string,
    string,
    string,
  ];
  writeFileSync(path, exportOf(nodeSuite, one).join('\n'));
  writeFileSync(key, hex(clipVectors.master));
  const codes: string[] = [];
  const emit = (line: object): void => {
    if ('code' in line) codes.push(String(line.code));
  };
  const status = await openCommand(path, { key, out }, { json: true, printLine: () => undefined, emit });
  const end = one.clip === 'h264' ? '.mp4' : '.mov';
  const [name] = existsSync(out) ? readdirSync(out).filter((each) => each.endsWith(end)) : [];
  const file = name === undefined ? NOTHING : toHex(nodeSuite.sha256(readFileSync(join(out, name))));
  return { status, file, codes };
}

// In an export bodies are found by their hash, so that exchanging two changes nothing; and the command looks into no segment.
const OTHERWISE = ['swapped', 'initialisation-again'];
const cases = clipVectors.cases.flatMap(({ expect: found, ...one }) =>
  typeof found === 'string' || OTHERWISE.includes(one.name) ? [] : [{ ...one, expect: found }],
);

it.each(cases)('sealcam open writes of the clip $name what is there up to the first hole', async (one) => {
  const { segments, file }: Opened = one.expect;
  const opened = await open(one);
  expect(opened.file).toBe(file);
  const isWhole = segments.every((found) => found === 'here');
  expect(opened.status).toBe(isWhole ? 0 : 3);
  expect(opened.codes.length > 0).toBe(!isWhole);
});

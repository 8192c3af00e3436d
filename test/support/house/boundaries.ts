import { dirname, join, normalize } from 'node:path';
import ts from 'typescript';

/** What each top-level folder may import of ours; see docs/architecture.md. */
const MAY_IMPORT: Readonly<Record<string, readonly string[]>> = {
  common: [],
  protocol: ['common'],
  hal: ['common'],
  agent: ['protocol', 'common', 'hal'],
  cloud: ['protocol', 'common'],
  app: ['protocol', 'common'],
  scripts: ['protocol', 'common', 'hal', 'agent', 'cloud', 'app'],
  test: ['protocol', 'common', 'hal', 'agent', 'cloud', 'app', 'scripts'],
};

/** Inside the agent data flows one way: frames, events, records, the queue, the wire. */
const AGENT_PARTS: Readonly<Record<string, readonly string[]>> = {
  capture: [],
  config: [],
  adapters: ['config', 'uplink', 'console'],
  outbox: [],
  record: ['capture', 'outbox'],
  ownership: ['outbox'],
  health: ['outbox'],
  uplink: ['outbox'],
  console: ['capture', 'outbox', 'record', 'ownership', 'uplink', 'health'],
};

/** Inside the cloud: the store below, ingest and API beside each other. */
const CLOUD_PARTS: Readonly<Record<string, readonly string[]>> = {
  store: [],
  broker: [],
  ingest: ['store'],
  api: ['store'],
  operator: ['store'],
};

/** Only the composition root and the command know a driver. */
const KNOWS_DRIVERS = /^agent\/(main|cli)(\/[^/]+)?\.ts$/;
/** Where the machine itself may be touched from folders that run in a browser too. */
const NODE_ALLOWED = /^(protocol\/crypto\/node|common\/config\/load|common\/adapters\/(pino-log|durable-file))\.ts$/;
const RUNS_IN_BROWSER = new Set(['common', 'protocol', 'app']);

/** Content by path from the checkout's root, with forward slashes. */
export type Sources = Readonly<Record<string, string>>;

function importsOf(text: string): string[] {
  return ts.preProcessFile(text, true, true).importedFiles.map(({ fileName }) => fileName);
}

function isRelative(specifier: string): boolean {
  return specifier.startsWith('.');
}

/** Package name of a specifier: `@noble/hashes` of `@noble/hashes/sha2.js`. */
function packageOf(specifier: string): string {
  return specifier
    .split('/')
    .slice(0, specifier.startsWith('@') ? 2 : 1)
    .join('/');
}

function partBreach(parts: typeof AGENT_PARTS, folder: string, from: string, to: string): string | null {
  const [, part = ''] = from.split('/');
  const [targetFolder, target = ''] = to.split('/');
  const allowed = parts[part];
  if (allowed === undefined || targetFolder !== folder || part === target || !(target in parts)) return null;
  return allowed.includes(target) ? null : `${from} imports ${to}: ${folder}/${part} comes before ${folder}/${target}`;
}

function folderBreach(from: string, to: string): string | null {
  const [folder = ''] = from.split('/');
  const [target = ''] = to.split('/');
  if (folder === target) {
    if (folder === 'agent') return partBreach(AGENT_PARTS, 'agent', from, to);
    return folder === 'cloud' ? partBreach(CLOUD_PARTS, 'cloud', from, to) : null;
  }
  if (MAY_IMPORT[folder]?.includes(target) !== true)
    return `${from} imports ${to}: ${folder}/ may not import ${target}/`;
  const isDriver = /^hal\/(mock|replay|linux)\//.test(to);
  if (folder === 'agent' && isDriver && !KNOWS_DRIVERS.test(from)) {
    return `${from} imports ${to}: only agent/main and agent/cli know drivers`;
  }
  return null;
}

/** Everything that breaks the rules of the house, as sentences. */
export function findBreaches(sources: Sources): string[] {
  const breaches: string[] = [];
  const importers = new Map<string, string[]>();
  for (const [path, text] of Object.entries(sources)) {
    const [folder = ''] = path.split('/');
    for (const specifier of importsOf(text)) {
      if (isRelative(specifier)) {
        const to = normalize(join(dirname(path), specifier)).replaceAll('\\', '/');
        const breach = folderBreach(path, to);
        if (breach !== null) breaches.push(breach);
      } else if (specifier.startsWith('node:')) {
        if (RUNS_IN_BROWSER.has(folder) && !NODE_ALLOWED.test(path)) {
          breaches.push(`${path} imports ${specifier}: ${folder}/ also runs in a browser`);
        }
      } else if (folder !== 'test') {
        const key = `${folder} ${packageOf(specifier)}`;
        importers.set(key, [...new Set([...(importers.get(key) ?? []), path])]);
      }
    }
  }
  for (const [key, paths] of importers) {
    if (paths.length > 1)
      breaches.push(`${paths.join(', ')}: more than one file of a folder imports ${key.split(' ')[1] ?? ''}`);
  }
  return breaches;
}

import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Random } from '../../../common/random.js';
import type { Change } from './recorder.js';

type Content = Extract<Change, { readonly kind: 'write' | 'truncate' }>;

interface File {
  /** What a power cut cannot take away. */
  durable: Buffer;
  /** Changes since the last sync; after a cut each may be there, missing or torn. */
  pending: Content[];
}

type NameChange = readonly (readonly [name: string, file: File | null])[];

/** Content of the files by name: what a disk holds when the power is back. */
export type Image = ReadonlyMap<string, Buffer>;

/**
 * How much of the unsynced changes reached the disk: none, all, all up to a point with a torn end, or any sectors in any
 * order. Names are treated the same way: without a sync of its folder a file may have no name, or its old one.
 */
export const CUTS = ['nothing', 'everything', 'torn-512', 'torn-4096', 'any-512', 'any-4096'] as const;
export type Cut = (typeof CUTS)[number];

/** Model of a disk: it keeps what was synced, and a power cut decides about the rest. */
export class Disk {
  private readonly files = new Map<string, File>();
  private readonly names = new Map<string, File>();
  private readonly current = new Map<string, File>();
  private pendingNames: NameChange[] = [];

  constructor(image: Image = new Map()) {
    for (const [name, content] of image) {
      const file = { durable: content, pending: [] };
      this.names.set(name, file);
      this.current.set(name, file);
    }
  }

  /** Returns a disk with files whose inodes are known, so that changes to them find them. */
  static of(image: Image, inodes: ReadonlyMap<string, string>): Disk {
    const disk = new Disk(image);
    for (const [name, inode] of inodes) {
      const file = disk.names.get(name);
      if (file !== undefined) disk.files.set(inode, file);
    }
    return disk;
  }

  apply(change: Change): void {
    switch (change.kind) {
      case 'create': {
        const file = { durable: Buffer.alloc(0), pending: [] };
        this.files.set(change.file, file);
        this.rename([[change.name, file]]);
        return;
      }
      case 'write':
      case 'truncate':
        this.file(change.file).pending.push(change);
        return;
      case 'sync': {
        const file = this.file(change.file);
        file.durable = whole(file.durable, file.pending);
        file.pending = [];
        return;
      }
      case 'sync-folder':
        for (const names of this.pendingNames) applyNames(this.names, names);
        this.pendingNames = [];
        return;
      case 'rename':
        this.rename([
          [change.from, null],
          [change.to, this.current.get(change.from) ?? null],
        ]);
        return;
      case 'link':
        this.rename([[change.to, this.current.get(change.from) ?? null]]);
        return;
      case 'unlink':
        this.rename([[change.name, null]]);
        return;
      case 'read':
      case 'report':
    }
  }

  /** Returns what the disk may hold if the power fails now. */
  cut(how: Cut, random: Random): Image {
    const names = new Map(this.names);
    const upTo = prefix(this.pendingNames.length, how, random);
    for (const [i, change] of this.pendingNames.entries()) {
      if (how.startsWith('any') ? random.uniform() < 0.5 : i < upTo) applyNames(names, change);
    }
    const sector = how.endsWith('512') ? 512 : 4096;
    const image = new Map<string, Buffer>();
    for (const [name, file] of names) {
      const content = how.startsWith('any')
        ? anySectors(file, sector, random)
        : torn(file, prefix(file.pending.length, how, random), how.startsWith('torn') ? sector : 0, random);
      image.set(name, content);
    }
    return image;
  }

  private file(inode: string): File {
    const file = this.files.get(inode);
    if (file === undefined) throw new Error('a change to a file that was never created');
    return file;
  }

  private rename(change: NameChange): void {
    this.pendingNames.push(change);
    applyNames(this.current, change);
  }
}

function applyNames(names: Map<string, File>, change: NameChange): void {
  for (const [name, file] of change) {
    if (file === null) names.delete(name);
    else names.set(name, file);
  }
}

function prefix(length: number, how: Cut, random: Random): number {
  if (how === 'nothing') return 0;
  return how === 'everything' ? length : Math.floor(random.uniform() * (length + 1));
}

/** Returns the content after all changes, in a new buffer. */
function whole(content: Buffer, changes: readonly Content[]): Buffer {
  const room = changes.reduce(
    (most, change) => Math.max(most, change.kind === 'write' ? change.at + change.data.length : change.size),
    content.length,
  );
  const out = Buffer.alloc(room);
  content.copy(out);
  let size = content.length;
  for (const change of changes) {
    if (change.kind === 'write') {
      change.data.copy(out, change.at);
      size = Math.max(size, change.at + change.data.length);
    } else {
      // Truncated bytes read as zeros when the file grows again.
      if (change.size < size) out.fill(0, change.size, size);
      size = change.size;
    }
  }
  return out.subarray(0, size);
}

/** Applies all changes up to one, and of the next one the sectors before a random place. */
function torn({ durable, pending }: File, upTo: number, sector: number, random: Random): Buffer {
  const content = whole(durable, pending.slice(0, upTo));
  const next = pending[upTo];
  if (sector === 0 || next?.kind !== 'write') return content;
  const end = next.at + Math.floor(random.uniform() * (next.data.length + 1));
  const kept = Math.max(0, Math.floor(end / sector) * sector - next.at);
  return kept === 0 ? content : whole(content, [{ ...next, data: next.data.subarray(0, kept) }]);
}

/**
 * Gives each sector the content that it had after any one of the writes that touched it. A file that grew may have its new
 * size without its content; a truncation may have happened or not.
 */
function anySectors({ durable, pending }: File, sector: number, random: Random): Buffer {
  const states = [durable];
  for (const change of pending) states.push(whole(states.at(-1) ?? durable, [change]));
  const size = states[Math.floor(random.uniform() * states.length)]?.length ?? durable.length;
  const out = Buffer.alloc(size);
  for (let at = 0; at < size; at += sector) {
    const touched = pending.flatMap((change, i) => {
      const end = change.kind === 'write' ? change.at + change.data.length : Infinity;
      return (change.kind === 'write' ? change.at : change.size) < at + sector && end > at ? [i + 1] : [];
    });
    const choice = [0, ...touched][Math.floor(random.uniform() * (touched.length + 1))] ?? 0;
    const state = states[choice];
    if (state !== undefined && at < state.length) state.copy(out, at, at, Math.min(at + sector, size));
  }
  return out;
}

/** Writes an image into an empty folder. */
export function writeImage(image: Image, folder: string): void {
  mkdirSync(folder, { recursive: true });
  for (const [name, content] of image) writeFileSync(join(folder, name), content, { mode: 0o600 });
}

export function readImage(folder: string): Image {
  // recorder.c leaves out SQLite's index of the log too.
  const names = readdirSync(folder).filter((name) => !name.endsWith('-shm'));
  return new Map(names.map((name) => [name, readFileSync(join(folder, name))]));
}

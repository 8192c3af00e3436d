/** Calls into processes that a campaign starts: typed procedures over Node's IPC channel. */
import { fork, type ChildProcess } from 'node:child_process';
import { endProcess } from '../../../scripts/end-process.js';

/** Procedures that a process offers: each takes one argument and returns one answer. */
export type Procedures<P> = { readonly [K in keyof P]: (argument: never) => Promise<unknown> };
type Argument<F> = F extends (argument: infer A) => unknown ? A : never;
type Answer<F> = F extends (argument: never) => Promise<infer R> ? R : never;

interface Question {
  readonly id: number;
  readonly name: string;
  readonly argument: unknown;
}
interface Reply {
  readonly id: number;
  readonly answer?: unknown;
  readonly error?: string;
}

/** A process of a campaign, as seen by the process that started it. */
export class Remote<P extends Procedures<P>> {
  readonly name: string;
  private readonly child: ChildProcess;
  private readonly pending = new Map<number, { resolve: (value: unknown) => void; reject: (error: Error) => void }>();
  private readonly closed: Promise<void>;
  private lastId = 0;

  /** Starts a compiled module that calls {@link serve}. The name is for error messages. */
  constructor(module: URL, name: string) {
    this.name = name;
    this.child = fork(module, [], { serialization: 'advanced', stdio: ['ignore', 'ignore', 'inherit', 'ipc'] });
    this.child.on('message', (message) => {
      const { id, answer, error } = message as Reply;
      const waiting = this.pending.get(id);
      this.pending.delete(id);
      if (error === undefined) waiting?.resolve(answer);
      else waiting?.reject(new Error(`${name}: ${error}`));
    });
    this.closed = new Promise((resolve) => {
      this.child.once('close', () => {
        for (const { reject } of this.pending.values()) reject(new Error(`${name} ended`));
        this.pending.clear();
        resolve();
      });
    });
  }

  /** Calls a procedure. @throws Error where it fails, or the process ends first */
  call<K extends keyof P & string>(name: K, argument: Argument<P[K]>): Promise<Answer<P[K]>> {
    const id = ++this.lastId;
    const answer = new Promise<unknown>((resolve, reject) => {
      this.pending.set(id, { resolve, reject });
      this.child.send({ id, name, argument } satisfies Question, (error) => {
        if (error !== null) reject(error);
      });
    });
    return answer as Promise<Answer<P[K]>>;
  }

  /** Ends the process as a power cut would: it gets no time to clean up. */
  async kill(): Promise<void> {
    await endProcess(this.child, 'SIGKILL');
    await this.closed;
  }
}

/** Answers calls in the started process, until the process that started it is gone. */
export function serve<P extends Procedures<P>>(procedures: P): void {
  process.on('message', (message) => {
    const { id, name, argument } = message as Question;
    procedures[name as keyof P](argument as never)
      .then((answer): Reply => ({ id, answer }))
      .catch((error: unknown): Reply => ({ id, error: error instanceof Error ? error.message : String(error) }))
      .then((reply) => process.send?.(reply))
      .catch(() => undefined);
  });
  process.on('disconnect', () => process.exit(0));
  // Ctrl-C is delivered to the whole process group; the process that started this one ends it in order.
  process.on('SIGINT', () => undefined);
}

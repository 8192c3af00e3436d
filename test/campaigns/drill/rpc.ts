import { fork, type ChildProcess } from 'node:child_process';
import { fileURLToPath } from 'node:url';

/** What a process of the drill can be asked for: one argument, one answer. */
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

/** A process of the drill, seen from the one that started it. */
export class Remote<P extends Procedures<P>> {
  readonly name: string;
  private readonly child: ChildProcess;
  private readonly open = new Map<number, { resolve: (value: unknown) => void; reject: (error: Error) => void }>();
  private readonly closed: Promise<void>;
  private lastId = 0;

  /** `module` is a compiled file beside this one. */
  constructor(module: string, name: string) {
    this.name = name;
    const path = fileURLToPath(new URL(module, import.meta.url));
    this.child = fork(path, [], { serialization: 'advanced', stdio: ['ignore', 'ignore', 'inherit', 'ipc'] });
    this.child.on('message', (message) => {
      const { id, answer, error } = message as Reply;
      const waiting = this.open.get(id);
      this.open.delete(id);
      if (error === undefined) waiting?.resolve(answer);
      else waiting?.reject(new Error(`${name}: ${error}`));
    });
    this.closed = new Promise((resolve) => {
      this.child.once('close', () => {
        for (const { reject } of this.open.values()) reject(new Error(`${name} ended`));
        this.open.clear();
        resolve();
      });
    });
  }

  call<K extends keyof P & string>(name: K, argument: Argument<P[K]>): Promise<Answer<P[K]>> {
    const id = ++this.lastId;
    const answer = new Promise<unknown>((resolve, reject) => {
      this.open.set(id, { resolve, reject });
      this.child.send({ id, name, argument } satisfies Question, (error) => {
        if (error !== null) reject(error);
      });
    });
    return answer as Promise<Answer<P[K]>>;
  }

  /** As a power cut does. */
  async kill(): Promise<void> {
    if (this.child.exitCode === null && this.child.signalCode === null) this.child.kill('SIGKILL');
    await this.closed;
  }
}

/** The other side: answers until whoever started this process is gone. */
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
  // Ctrl-C goes to the whole group; the process in charge ends the others in order.
  process.on('SIGINT', () => undefined);
}

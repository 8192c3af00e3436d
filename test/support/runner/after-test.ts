type Undo = () => void | Promise<void>;

const undos: Undo[] = [];

/** Runs `undo` after the running test; the last one registered runs first. */
export function afterThisTest(undo: Undo): void {
  undos.push(undo);
}

/** Undoes everything that the test left behind. */
export async function undoAll(): Promise<void> {
  for (const undo of undos.splice(0).reverse()) await undo();
}

// The campaigns use the same helpers without a test: what can be undone synchronously is undone when the process ends.
if (process.env['VITEST'] !== 'true') {
  process.once('exit', () => {
    for (const undo of undos.splice(0).reverse()) void undo();
  });
}

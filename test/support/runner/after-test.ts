type Undo = () => void | Promise<void>;

const undos: Undo[] = [];

/** What the running test leaves behind is taken away after it, the last first. */
export function afterThisTest(undo: Undo): void {
  undos.push(undo);
}

export async function undoAll(): Promise<void> {
  for (const undo of undos.splice(0).reverse()) await undo();
}

// Commands below test/ use the same helpers; there is no running test then, and what can be undone at once goes with the process.
if (process.env['VITEST'] !== 'true') {
  process.once('exit', () => {
    for (const undo of undos.splice(0).reverse()) void undo();
  });
}

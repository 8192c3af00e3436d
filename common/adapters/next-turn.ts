/** Resolves in a later turn of Node's event loop, after what came in by then was read. Only composition roots pass it on. */
export function nextTurn(): Promise<void> {
  return new Promise((resolve) => {
    setImmediate(resolve);
  });
}

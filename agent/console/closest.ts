/** A name is suggested if at most this share of its letters has to change. */
const CHANGED_SHARE_MAX = 0.4;
/** What is longer than any name is not a typing error of one. */
const COMPARED_MAX = 40;

/** Returns the name that a mistyped word most likely means; null if none is near. */
export function closest(word: string, names: readonly string[]): string | null {
  if (word.length > COMPARED_MAX) return null;
  const typed = word.toLowerCase();
  let best: string | null = null;
  let least = Infinity;
  for (const name of names) {
    const changes = changesBetween(typed, name);
    if (changes < least && changes <= Math.max(1, Math.floor(name.length * CHANGED_SHARE_MAX))) {
      least = changes;
      best = name;
    }
  }
  return best;
}

/** Counts letters to insert, delete, replace, or swap with the next (optimal string alignment). */
function changesBetween(a: string, b: string): number {
  let before: number[] = [];
  let row = Array.from({ length: b.length + 1 }, (_, j) => j);
  for (let i = 1; i <= a.length; i++) {
    const next = [i];
    for (let j = 1; j <= b.length; j++) {
      const isSame = a[i - 1] === b[j - 1];
      const isSwapped = i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1];
      next[j] = Math.min(
        (row[j] ?? 0) + 1,
        (next[j - 1] ?? 0) + 1,
        (row[j - 1] ?? 0) + (isSame ? 0 : 1),
        isSwapped ? (before[j - 2] ?? 0) + 1 : Infinity,
      );
    }
    before = row;
    row = next;
  }
  return row[b.length] ?? 0;
}

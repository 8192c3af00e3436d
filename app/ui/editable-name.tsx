import { type ComponentChildren, type JSX, useState } from './preact.js';

/** A name that this person gave, with a way to change it. The children show it. */
export function EditableName({
  name,
  label,
  onRename,
  children,
}: {
  readonly name: string;
  readonly label: string;
  readonly onRename: (name: string) => Promise<void>;
  readonly children: ComponentChildren;
}): JSX.Element {
  const [draft, setDraft] = useState<string | null>(null);
  if (draft === null) {
    return (
      <div class="camera-name">
        {children}
        <button
          type="button"
          class="text-button"
          onClick={() => {
            setDraft(name);
          }}
        >
          Rename
        </button>
      </div>
    );
  }
  const save = (event: Event): void => {
    event.preventDefault();
    void onRename(draft).then(() => {
      setDraft(null);
    });
  };
  return (
    <form class="camera-name" onSubmit={save}>
      <label>
        <span class="visually-hidden">{label}</span>
        <input
          value={draft}
          maxLength={256}
          required
          autofocus
          onInput={(event) => {
            setDraft(event.currentTarget.value);
          }}
        />
      </label>
      <button type="submit" class="button">
        Save
      </button>
    </form>
  );
}

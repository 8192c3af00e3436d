import { type JSX, useState } from './preact.js';

/** Guards what cannot be undone: the buttons work only after the word was typed, and only once per typing. */
export function TypeToConfirm({
  word,
  actions,
  isBusy = false,
}: {
  readonly word: string;
  readonly actions: readonly { readonly label: string; readonly act: () => void }[];
  readonly isBusy?: boolean;
}): JSX.Element {
  const [typed, setTyped] = useState('');
  return (
    <>
      <label class="field">
        <span>Type “{word}” to confirm</span>
        <input
          value={typed}
          onInput={(event) => {
            setTyped(event.currentTarget.value);
          }}
        />
      </label>
      <div class="form-buttons">
        {actions.map(({ label, act }) => (
          <button
            key={label}
            type="button"
            class="button button-bad"
            disabled={typed !== word || isBusy}
            onClick={() => {
              setTyped('');
              act();
            }}
          >
            {label}
          </button>
        ))}
      </div>
    </>
  );
}

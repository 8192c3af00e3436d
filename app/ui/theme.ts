import { useEffect, useState } from './preact.js';
import type { AppStorage } from '../core/storage.js';

/** `auto` follows the device. */
export const THEMES = ['auto', 'light', 'dark'] as const;
export type Theme = (typeof THEMES)[number];

/** Applies a theme to the page. */
export function applyTheme(theme: Theme): void {
  document.documentElement.dataset['theme'] = theme;
}

function themeOf(text: string | null): Theme {
  return THEMES.find((theme) => theme === text) ?? 'auto';
}

/** Loads the saved theme and applies it. */
export function useTheme(storage: AppStorage): readonly [Theme, (theme: Theme) => void] {
  const [theme, setTheme] = useState<Theme>('auto');
  useEffect(() => {
    void storage.setting('theme').then((text) => {
      setTheme(themeOf(text));
      applyTheme(themeOf(text));
    });
  }, [storage]);
  return [theme, setTheme];
}

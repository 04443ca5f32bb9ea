// What this browser remembers for its reader, beside what the node keeps.
import { effect, signal, type Signal } from '@preact/signals';

/** A setting that is kept in this browser, for all of its tabs. */
export function kept<T extends string | boolean>(name: string, usual: T, allowed?: readonly T[]): Signal<T> {
  const key = `dak.${name}`;
  const read = (): T => {
    const text = localStorage.getItem(key);
    if (text === null) return usual;
    const value = (typeof usual === 'boolean' ? text === 'true' : text) as T;
    return !allowed || allowed.includes(value) ? value : usual;
  };
  const setting = signal<T>(read());
  effect(() => {
    if (setting.value !== read()) localStorage.setItem(key, String(setting.value));
  });
  addEventListener('storage', (event) => {
    if (event.key === key) setting.value = read();
  });
  return setting;
}

/** Light or dark; `auto` is as the system has it. */
export const theme = kept('theme', 'auto', ['auto', 'light', 'dark'] as const) as Signal<'auto' | 'light' | 'dark'>;

/** Whether the system shows what comes while the page is not looked at. */
export const notifies = kept<boolean>('notify', false);

/** Whether Enter sends; else it begins a line, and Ctrl-Enter sends, which it does anyway. */
export const enterSends = kept<boolean>('enter-sends', true);

/** Whether the reader was told that this browser keeps nothing of the page. */
export const knowsOnlineOnly = kept<boolean>('knows-online-only', false);

export function applyTheme(): void {
  effect(() => {
    document.documentElement.dataset['theme'] = theme.value;
  });
}

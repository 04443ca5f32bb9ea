// Words that appear for a moment at the edge of the page, and those that only a screen reader says.
import { signal } from '@preact/signals';
import { isAbort, Refusal } from './api';
import { keeps } from './installed';
import { onLocked } from './lock';
import { plain } from './safe';
import { hasWords, t } from './words';

export interface Toast {
  id: number;
  text: string;
  isBad: boolean;
  act?: { label: string; does: () => void };
}

export const toasts = signal<Toast[]>([]);
/** What a screen reader says next, without its focus being moved. */
export const spoken = signal('');

let next = 1;

onLocked(() => {
  toasts.value = [];
  spoken.value = '';
});

export function tell(text: string, act?: Toast['act'], isBad = false): void {
  const toast: Toast = act ? { id: next++, text, isBad, act } : { id: next++, text, isBad };
  toasts.value = [...toasts.value.slice(-2), toast];
  // Whoever is offered something has to reach it, by whatever means.
  setTimeout(() => forget(toast.id), act ? 30_000 : isBad ? 12_000 : 6_000);
}

export function forget(id: number): void {
  toasts.value = toasts.value.filter((toast) => toast.id !== id);
}

export function say(text: string): void {
  spoken.value = text;
}

/** What went wrong, in the words of the node, and what to do about it in the page's own. */
export function failure(error: unknown): string {
  if (!(error instanceof Refusal)) return error instanceof Error ? plain(error.message) : String(error);
  if (error.kind === 'unreachable') return `${t('errors.unreachable')} ${keeps.value === 'yes' ? '' : t('offline.only_online')}`.trim();
  if (error.kind === 'session') return t('errors.session');
  const message = plain(error.message);
  const key = `next.${error.next?.step ?? ''}`;
  const step = hasWords(key) ? t(key) : error.next?.step === 'advice' ? plain(error.nextStep ?? '') : '';
  return step ? t('errors.with_step', { message, step }) : message;
}

/** Says that something failed, unless somebody broke it off. */
export function complain(error: unknown): void {
  if (!isAbort(error)) tell(failure(error), undefined, true);
}

/** Does something, and says so where it fails. */
export async function attempt<T>(doing: Promise<T>): Promise<T | undefined> {
  try {
    return await doing;
  } catch (error) {
    complain(error);
    return undefined;
  }
}

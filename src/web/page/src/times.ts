// Times as people say them, by the clock of this machine.
import { signal } from '@preact/signals';
import { locale, t } from './words';

/** The moment, a few times a minute: what is said of times is said anew. */
export const now = signal(Date.now());
setInterval(() => (now.value = Date.now()), 20_000);

const clockForm = new Intl.DateTimeFormat(locale, { hour: '2-digit', minute: '2-digit', hourCycle: 'h23' });
const weekdayForm = new Intl.DateTimeFormat(locale, { weekday: 'short' });
const dayForm = new Intl.DateTimeFormat(locale, { day: 'numeric', month: 'short' });
const longDayForm = new Intl.DateTimeFormat(locale, { weekday: 'long', day: 'numeric', month: 'long' });
const yearForm = new Intl.DateTimeFormat(locale, { day: 'numeric', month: 'short', year: 'numeric' });
const wholeForm = new Intl.DateTimeFormat(locale, { dateStyle: 'full', timeStyle: 'medium', hourCycle: 'h23' });

export function clock(at: string): string {
  return clockForm.format(new Date(at));
}

/** Days from the day of `at` to today: 0 for today, 1 for yesterday. */
function daysAgo(at: Date, today = new Date(now.value)): number {
  const day = (date: Date) => Date.UTC(date.getFullYear(), date.getMonth(), date.getDate());
  return Math.round((day(today) - day(at)) / 86_400_000);
}

/** Which day, as a key to compare by. */
export function dayKey(at: string): string {
  const date = new Date(at);
  return `${date.getFullYear()}-${date.getMonth()}-${date.getDate()}`;
}

/** A day as a line between messages. */
export function dayName(at: string): string {
  const date = new Date(at);
  const ago = daysAgo(date);
  if (ago === 0) return t('times.today');
  if (ago === 1) return t('times.yesterday');
  return date.getFullYear() === new Date(now.value).getFullYear() ? longDayForm.format(date) : yearForm.format(date);
}

/** A time with as much of its day as it needs: `14:02`, `yesterday 14:02`, `Tue 14:02`, `3 Mar 14:02`. */
export function when(at: string): string {
  const date = new Date(at);
  const time = clockForm.format(date);
  const ago = daysAgo(date);
  if (ago === 0) return time;
  if (ago === 1) return t('times.yesterday_at', { time });
  if (ago === -1) return t('times.tomorrow_at', { time });
  const day =
    Math.abs(ago) < 7
      ? weekdayForm.format(date)
      : date.getFullYear() === new Date(now.value).getFullYear()
        ? dayForm.format(date)
        : yearForm.format(date);
  return t('times.day_at', { day, time });
}

/** The same without the hour, unless it is today: for lists. */
export function whenBriefly(at: string): string {
  const date = new Date(at);
  const ago = daysAgo(date);
  if (ago === 0) return clockForm.format(date);
  if (ago === 1) return t('times.yesterday');
  if (ago > 1 && ago < 7) return weekdayForm.format(date);
  return date.getFullYear() === new Date(now.value).getFullYear() ? dayForm.format(date) : yearForm.format(date);
}

/** All of it, for who wants to know. */
export function whole(at: string): string {
  return wholeForm.format(new Date(at));
}

/** A span of time in its largest unit: `20 s`, `5 min`, `3 h`, `2 days`, `3 years`; a single year is told in days. */
export function span(ms: number): string {
  if (ms >= 730 * 86_400_000) return t('times.years', { count: Math.round(ms / (365.25 * 86_400_000)) });
  const units = [
    ['times.days', 86_400_000],
    ['times.hours', 3_600_000],
    ['times.minutes', 60_000],
    ['times.seconds', 1_000],
  ] as const;
  for (const [key, size] of units) if (ms >= size) return t(key, { count: Math.round(ms / size) });
  return t('times.seconds', { count: 0 });
}

/** A length of sound: `0:07`, `12:40`. */
export function duration(seconds: number): string {
  const whole = Math.max(0, Math.round(Number.isFinite(seconds) ? seconds : 0));
  return `${Math.floor(whole / 60)}:${String(whole % 60).padStart(2, '0')}`;
}

/** What `<input type=datetime-local>` holds, of a moment and back. */
export function localInput(at: Date): string {
  const two = (n: number) => String(n).padStart(2, '0');
  const day = `${at.getFullYear()}-${two(at.getMonth() + 1)}-${two(at.getDate())}`;
  return `${day}T${two(at.getHours())}:${two(at.getMinutes())}`;
}

export function fromLocalInput(value: string): string | null {
  const at = new Date(value);
  return value && !Number.isNaN(at.getTime()) ? at.toISOString() : null;
}

/** Bytes as people count them. */
export function size(bytes: number): string {
  const units = ['kB', 'MB', 'GB', 'TB'];
  if (bytes < 1000) return `${bytes} B`;
  let value = bytes;
  let unit = '';
  for (unit of units) {
    value /= 1000;
    if (value < 999.5) break;
  }
  const digits = value < 10 ? 1 : 0;
  return `${new Intl.NumberFormat(locale, { maximumFractionDigits: digits }).format(value)} ${unit}`;
}

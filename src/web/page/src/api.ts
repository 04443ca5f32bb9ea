// The one door to the node: every call of the local API, by the method and path that its table has. What the path names in
// braces is put there; the other fields are the body of a POST or PUT and the query of the rest, as on the node's side.
import { signal } from '@preact/signals';
import type { ApiError, NextStep, Routes, UploadedRow } from './api.types';
import { compareClocks } from './clock';
import { eraseAll, keepSecret, lock, secretHalf, sessionTurn, whileOpen } from './lock';
import { go } from './route';

export type * from './api.types';

export type Route = keyof Routes;
export type Asks<R extends Route> = Routes[R]['asks'];
export type Gives<R extends Route> = Routes[R]['gives'];
type Rest<R extends Route> =
  Record<never, never> extends Asks<R> ? [fields?: Asks<R>, signal?: AbortSignal] : [fields: Asks<R>, signal?: AbortSignal];

/** How long the node may take to hear that a session is over. */
const ENDING_MS = 5_000;
/** How long another session may take to begin. */
const RENEWING_MS = 15_000;

/** Whether this browser may ask: `lost` says that the page has to be opened anew with `dak web`. */
export const session = signal<'held' | 'lost'>('held');

/** Why the node did not do it, as it says; without a kind of its own where it was not reached at all. */
export class Refusal extends Error {
  readonly kind: ApiError['kind'] | 'unreachable' | 'session';
  readonly next: NextStep | null;
  readonly nextStep: string | null;

  constructor(kind: Refusal['kind'], message: string, next: NextStep | null = null, nextStep: string | null = null) {
    super(message);
    this.kind = kind;
    this.next = next;
    this.nextStep = nextStep;
  }
}

export function isAbort(error: unknown): boolean {
  return error instanceof DOMException && error.name === 'AbortError';
}

/** The node is away, or this browser out of its reach. */
export function isUnreachable(error: unknown): boolean {
  return error instanceof Refusal && error.kind === 'unreachable';
}

/** The one-time link of the address, if it has one, out of sight from now on. */
export function takeLink(): string | null {
  const open = /^#open=([\w-]+)$/.exec(location.hash)?.[1];
  if (open) go(location.pathname + location.search + '#/', 'replace');
  return open ?? null;
}

/** Lets this browser in by a one-time link. */
export async function openSession(open: string): Promise<void> {
  const answer = await fetch('/web/session', {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ open }),
  }).catch(() => null);
  if (answer?.ok) {
    const { page } = (await answer.json()) as { page: string };
    await keepSecret(page);
    session.value = 'held';
  }
}

/** Begins another session in the place of this one; its secret half. */
export async function renewSession(): Promise<string> {
  const answer = await fetch('/web/session/renew', { method: 'POST', headers: own(), signal: AbortSignal.timeout(RENEWING_MS) }).catch(() => {
    throw new Refusal('unreachable', '');
  });
  if (!answer.ok) throw new Refusal('failure', `${answer.status} ${answer.statusText}`);
  return ((await answer.json()) as { page: string }).page;
}

/** Ends this browser's way in, for all its tabs, and erases what it kept. The node hears of it where it is in reach. */
export async function endSession(): Promise<void> {
  const half = secretHalf();
  const headers: Record<string, string> = half ? { 'dak-page': half } : {};
  await fetch('/web/session', { method: 'DELETE', headers, signal: AbortSignal.timeout(ENDING_MS) }).catch(() => null);
  await shownOut();
}

async function shownOut(): Promise<void> {
  session.value = 'lost';
  await eraseAll();
}

/** The node says that the session is over; a browser that lost its cookie alone keeps what waits here. */
const OVER = 'dak-session-over';

/** Whether this browser is let in no longer. Another tab may have begun another session meanwhile. */
async function isShownOut(half: string | null): Promise<boolean> {
  return sessionTurn(async () => {
    if (lock.value === 'locked' || secretHalf() !== half) return false;
    const again = await fetch('/v1/version', { headers: own(), cache: 'no-store' }).catch(() => null);
    if (again?.status !== 401) return false;
    if (again.headers.has(OVER)) await shownOut();
    else session.value = 'lost';
    return true;
  });
}

function own(): Record<string, string> {
  const secret = secretHalf();
  if (lock.value === 'locked' && !secret) throw new DOMException('', 'AbortError');
  return secret ? { 'dak-page': secret } : {};
}

/** Asks the node once. Lists come as arrays. */
export async function ask<R extends Route>(route: R, ...[fields, signal]: Rest<R>): Promise<Gives<R>> {
  const answer = await reach(route, fields ?? {}, 'application/json', signal);
  const isText = (answer.headers.get('content-type') ?? '').startsWith('text/plain');
  try {
    return (await (isText ? answer.text() : answer.json())) as Gives<R>;
  } catch (error) {
    // An answer that breaks off is none.
    throw isAbort(error) || error instanceof Refusal ? error : new Refusal('unreachable', '');
  }
}

/** The rows of a list one by one, as they come; whoever has enough stops taking them. */
export async function* rows<R extends Route>(
  route: R,
  fields: Asks<R>,
  signal?: AbortSignal,
): AsyncGenerator<Gives<R> extends (infer Row)[] ? Row : unknown> {
  const enough = new AbortController();
  const ends = signal ? AbortSignal.any([signal, enough.signal]) : enough.signal;
  try {
    const answer = await reach(route, fields, 'application/x-ndjson', ends);
    for await (const line of lines(answer)) if (line) yield taken(JSON.parse(line));
  } finally {
    enough.abort();
  }
}

export interface Happening<T> {
  /** The number to go on from. */
  id: number | undefined;
  event: string;
  data: T;
}

/**
 * What is followed, event by event, until the node or the signal ends it. `onOpen` hears that the node listens, and `onLine`
 * every line that comes, also those that say that nothing happened.
 */
export async function* follow<T>(
  route: Route,
  fields: object,
  signal: AbortSignal,
  { onOpen, onLine }: { onOpen?: () => void; onLine?: () => void } = {},
): AsyncGenerator<Happening<T>> {
  const answer = await reach(route, fields, 'text/event-stream', signal);
  onOpen?.();
  let [id, event, data]: [number | undefined, string, string] = [undefined, 'message', ''];
  for await (const line of lines(answer)) {
    onLine?.();
    if (line === '') {
      if (data) yield { id, event, data: taken<T>(JSON.parse(data)) };
      [id, event, data] = [undefined, 'message', ''];
      continue;
    }
    const [, name, value] = /^(\w*): ?(.*)$/.exec(line) ?? [];
    if (name === 'id') id = Number(value);
    if (name === 'event') event = value ?? '';
    if (name === 'data') data += value;
  }
}

/** A row, or the error that ends an answer in the place of one. */
function taken<T>(row: unknown): T {
  const error = (row as { error?: ApiError }).error;
  if (error?.kind && error.message) throw refusalOf(error);
  return row as T;
}

async function* lines(answer: Response): AsyncGenerator<string> {
  if (!answer.body) return;
  const reader = answer.body.pipeThrough(new TextDecoderStream()).getReader();
  let rest = '';
  for (;;) {
    const { done, value } = await reader.read();
    if (done) break;
    const parts = (rest + value).split('\n');
    rest = parts.pop() ?? '';
    yield* parts;
  }
  if (rest) yield rest;
}

async function reach(route: Route, fields: object, accept: string, signal?: AbortSignal): Promise<Response> {
  const [method, pattern] = route.split(' ') as [string, string];
  const left = new Map(Object.entries(fields).filter(([, value]) => value !== undefined && value !== null));
  let path = pattern.replace(/\{(\w+)\}/g, (_, name: string) => {
    const value = String(left.get(name) ?? '');
    left.delete(name);
    return segment(value);
  });
  const headers: Record<string, string> = { ...own(), accept };
  let body: string | undefined;
  if (method === 'POST' || method === 'PUT') {
    body = JSON.stringify(Object.fromEntries(left));
    headers['content-type'] = 'application/json';
  } else if (left.size) {
    path += '?' + [...left].map(([name, value]) => `${name}=${encodeURIComponent(String(value))}`).join('&');
  }
  const init: RequestInit = { method, headers, cache: 'no-store', signal: signal ? AbortSignal.any([signal, whileOpen()]) : whileOpen() };
  if (body !== undefined) init.body = body;
  const reached = () =>
    fetch(path, init).catch((error: unknown) => {
      if (isAbort(error)) throw error;
      throw new Refusal('unreachable', '');
    });
  const half = secretHalf();
  let answer = await reached();
  if (answer.status === 401 && session.value === 'held' && !(await isShownOut(half))) {
    Object.assign(headers, own());
    answer = await reached();
  }
  compareClocks(answer.headers.get('date'));
  if (!answer.ok) throw await refusal(answer);
  session.value = 'held';
  return answer;
}

/** A value as one segment of a path, dots and all. */
function segment(value: string): string {
  return encodeURIComponent(value).replace(/[!'()*.]/g, (c) => '%' + c.charCodeAt(0).toString(16).toUpperCase());
}

async function refusal(answer: Response): Promise<Refusal> {
  const said = (await answer.json().catch(() => ({}))) as { error?: ApiError };
  if (answer.status === 401) return new Refusal('session', said.error?.message ?? '');
  return said.error ? refusalOf(said.error) : new Refusal('failure', `${answer.status} ${answer.statusText}`);
}

function refusalOf({ kind, message, next, next_step }: ApiError): Refusal {
  return new Refusal(kind, message, next ?? null, next_step ?? null);
}

/** Brings a file for a message; `onProgress` hears how much of it went, from 0 to 1. */
export function upload(file: File, onProgress: (part: number) => void, signal: AbortSignal): Promise<UploadedRow> {
  return new Promise((resolve, reject) => {
    // `fetch` does not say how far a body has come.
    const request = new XMLHttpRequest();
    request.open('POST', `/v1/files?name=${encodeURIComponent(file.name)}`);
    for (const [name, value] of Object.entries(own())) request.setRequestHeader(name, value);
    request.setRequestHeader('accept', 'application/json');
    request.setRequestHeader('content-type', 'application/octet-stream');
    request.upload.onprogress = ({ loaded, total }) => onProgress(total ? loaded / total : 0);
    request.onload = () => {
      let said: UploadedRow & { error?: ApiError };
      try {
        said = JSON.parse(request.responseText);
      } catch {
        return reject(new Refusal('failure', `${request.status}`));
      }
      if (request.status === 401) return reject(new Refusal('session', said.error?.message ?? ''));
      if (request.status >= 200 && request.status < 300) resolve(said);
      else reject(said.error ? refusalOf(said.error) : new Refusal('failure', `${request.status}`));
    };
    request.onerror = () => reject(new Refusal('unreachable', ''));
    request.onabort = () => reject(new DOMException('', 'AbortError'));
    for (const ends of [signal, whileOpen()]) ends.addEventListener('abort', () => request.abort());
    request.send(file);
  });
}

/** The bytes that a route gives. */
export async function bytes<R extends Route>(route: R, fields: Asks<R>, signal?: AbortSignal): Promise<ArrayBuffer> {
  return (await reach(route, fields, '*/*', signal)).arrayBuffer();
}

/** Where the bytes of a file are, which is here. */
export function contentUrl(id: string): string {
  return `/v1/files/${segment(id)}/content`;
}

/** The first bytes of a file that is here, at most so many. */
export async function firstBytes(id: string, many: number, signal?: AbortSignal): Promise<Uint8Array> {
  const init: RequestInit = { headers: { ...own(), range: `bytes=0-${many - 1}` }, signal: signal ? AbortSignal.any([signal, whileOpen()]) : whileOpen() };
  const answer = await fetch(contentUrl(id), init);
  if (!answer.ok) throw await refusal(answer);
  return new Uint8Array(await answer.arrayBuffer());
}

// What an app in its frame may ask of the page: to tell its users something and to hear what they told, and with the person's
// consent to write into a conversation. It gets nothing else of the node, and a flood of it ends at its own queue.
import { ask, isAbort, Refusal, rows } from './api';
import type { AppStartRow, AppUpdateRow } from './api.types';
import { failure } from './tell';

/** So many updates may wait for their turn; an app that says more at once is told no. */
const WAITING_MAX = 256;
/** So many leave at once, before one has to wait for the interval. */
const BURST = 8;
/** Updates that an app is given together; it takes them before it gets more. */
const GIVEN_AT_ONCE = 50;
/** So often a person says no before an app that asks for something is not heard any more. */
const REFUSALS_MAX = 3;
/** Between one word for the person and the next. */
const SAYS_EVERY_MS = 2_000;
/** Where links outside of an app may lead. */
const LINKED = ['http:', 'https:', 'mailto:'];
/** Longest address that is shown, and so opened. */
const LINK_CHARS_MAX = 2_000;

export interface ToSend {
  text: string | undefined;
  name: string | undefined;
  bytes: ArrayBuffer | undefined;
}

export interface Consent {
  /** Asks the person whether, and where, this is to be sent; rejects where they do not want it. */
  send(what: ToSend): Promise<void>;
  /** The same for a file that is to be saved here. */
  save(name: string, bytes: ArrayBuffer): Promise<void>;
  /** The same for an address outside of the app. */
  link(url: URL): Promise<void>;
  /** The app has a word for the person. */
  says(text: string): void;
  /** The app says more than it may. */
  flooded(): void;
  /** Nothing more is told in it. */
  refused(why: string): void;
}

/** Its payload is JSON, which nobody here looks into. */
type Update = Record<string, unknown> & { payload: string };
type Asked =
  | { what: 'update'; number: number; update: Update }
  | { what: 'listen'; number: number; listening: number; serial: number }
  | { what: 'taken'; listening: number }
  | { what: 'all'; number: number }
  | { what: 'send'; number: number; text?: string; name?: string; bytes?: ArrayBuffer }
  | { what: 'save'; number: number; name?: string; bytes?: ArrayBuffer }
  | { what: 'link'; number: number; href: string }
  | { what: 'say'; number: number; text: string };

/** Nobody is asked about this, so nobody refused it. */
class Unaskable extends Error {}

export class Bridge {
  private port: MessagePort | null = null;
  private readonly waiting: { update: Update; number: number; port: MessagePort }[] = [];
  private hasFlooded = false;
  private tokens = BURST;
  private filledAt = performance.now();
  private isSending = false;
  private listening = 0;
  private serial = 0;
  private taken: (() => void) | null = null;
  private telling: Promise<void> = Promise.resolve();
  private isAsking = false;
  private refusals = 0;
  private saidAt = -Infinity;
  private readonly ended = new AbortController();

  constructor(
    private readonly app: AppStartRow,
    private readonly consent: Consent,
  ) {}

  /** The app's script is there, or there anew in its next document, and listens at this port. */
  open(port: MessagePort): void {
    this.port = port;
    this.listening = 0;
    port.onmessage = ({ data }: MessageEvent<Asked>) => void this.hear(port, data).catch(unlessOver);
  }

  /**
   * What was told before goes out all the same, unless it was a flood. So does what the app tells as it is left: that is on its
   * way here yet, and the channel ends with the app's document.
   */
  close(): void {
    this.ended.abort();
    this.port = null;
    if (this.hasFlooded) this.waiting.length = 0;
  }

  /** Something was told in the app. */
  happened(): void {
    if (this.listening) void this.tell(this.listening).catch(unlessOver);
  }

  private async hear(port: MessagePort, asked: Asked): Promise<void> {
    if (typeof asked !== 'object' || asked === null) return;
    const done = (value?: unknown) => port.postMessage({ what: 'done', number: (asked as { number: number }).number, value });
    const failed = (why: string) => port.postMessage({ what: 'failed', number: (asked as { number: number }).number, why });
    // A document that the app left may have told something just before.
    if (port !== this.port && asked.what !== 'update') return;
    switch (asked.what) {
      case 'update':
        if (this.waiting.length >= WAITING_MAX || (this.hasFlooded && this.ended.signal.aborted)) {
          this.hasFlooded = true;
          this.consent.flooded();
          return failed('too many updates at once');
        }
        this.waiting.push({ update: asked.update, number: asked.number, port });
        return this.send();
      case 'listen':
        this.listening = Number(asked.listening);
        this.serial = Number(asked.serial) || 0;
        this.taken?.();
        await this.tell(this.listening);
        return done();
      case 'taken':
        if (asked.listening === this.listening) this.taken?.();
        return;
      case 'all': {
        const all = [];
        for await (const row of rows('GET /v1/apps/{id}/updates', { id: this.app.id, json: true }, this.ended.signal)) all.push(heard(row));
        return done(all);
      }
      case 'say':
        if (performance.now() - this.saidAt >= SAYS_EVERY_MS) {
          this.saidAt = performance.now();
          this.consent.says(String(asked.text));
        }
        return done();
      case 'send':
      case 'save':
      case 'link': {
        // One window at a time, and none for who was told no often enough.
        if (this.isAsking) return failed('the person is being asked already');
        if (this.refusals >= REFUSALS_MAX) return failed('the person does not want to be asked');
        this.isAsking = true;
        try {
          await this.consented(asked);
          this.refusals = 0;
          done();
        } catch (error) {
          if (!(error instanceof Unaskable)) this.refusals += 1;
          failed(error instanceof Error ? error.message : 'refused');
        } finally {
          this.isAsking = false;
        }
      }
    }
  }

  private consented(asked: Extract<Asked, { what: 'send' | 'save' | 'link' }>): Promise<void> {
    const bytes = 'bytes' in asked && asked.bytes instanceof ArrayBuffer ? asked.bytes : undefined;
    switch (asked.what) {
      case 'send':
        return this.consent.send({ text: words(asked.text), name: words(asked.name), bytes });
      case 'save':
        if (!bytes) throw new Unaskable('there is nothing to save');
        return this.consent.save(words(asked.name) ?? 'file', bytes);
      case 'link': {
        const url = URL.canParse(asked.href) ? new URL(asked.href) : null;
        if (!url || !LINKED.includes(url.protocol) || url.username || url.password) throw new Unaskable('only pages and mail are linked to');
        if (url.href.length > LINK_CHARS_MAX) throw new Unaskable('that address is too long');
        return this.consent.link(url);
      }
    }
  }

  /** Sends what waits, in its order and at the pace that the app was told. */
  private async send(): Promise<void> {
    if (this.isSending) return;
    this.isSending = true;
    try {
      while (this.waiting.length) {
        await this.turn();
        const next = this.waiting.shift();
        if (!next) return;
        const { update, number, port } = next;
        try {
          await ask('POST /v1/apps/{id}/updates', { ...update, id: this.app.id, json: true } as never);
          port.postMessage({ what: 'done', number });
        } catch (error) {
          port.postMessage({ what: 'failed', number, why: failure(error) });
          this.consent.refused(failure(error));
        }
      }
    } finally {
      this.isSending = false;
    }
  }

  private async turn(): Promise<void> {
    const interval = this.app.send_update_interval_ms;
    const now = performance.now();
    this.tokens = Math.min(BURST, this.tokens + (now - this.filledAt) / interval);
    this.filledAt = now;
    if (this.tokens < 1) await new Promise((resolve) => setTimeout(resolve, (1 - this.tokens) * interval));
    this.tokens -= 1;
  }

  /** Gives the app what is behind its serial; each call after the one before it. */
  private tell(listening: number): Promise<void> {
    this.telling = this.telling.catch(() => undefined).then(() => this.tellNow(listening));
    return this.telling;
  }

  private async tellNow(listening: number): Promise<void> {
    let given: Update[] = [];
    const give = async () => {
      const port = this.port;
      if (!port || listening !== this.listening || !given.length) return;
      const isTaken = new Promise<void>((resolve) => (this.taken = resolve));
      port.postMessage({ what: 'updates', listening, updates: given });
      given = [];
      await isTaken;
    };
    for await (const row of rows('GET /v1/apps/{id}/updates', { id: this.app.id, after: this.serial, json: true }, this.ended.signal)) {
      if (listening !== this.listening) return;
      given.push(heard(row));
      this.serial = (row as AppUpdateRow).serial;
      if (given.length >= GIVEN_AT_ONCE) await give();
    }
    await give();
  }
}

/** Takes away cookies that an app left at the page's name: the page has none that a script could see. */
export function sweepCookies(): void {
  for (const one of document.cookie.split(';')) {
    const name = one.split('=')[0]?.trim();
    for (const path of ['/', '/v1', '/web']) document.cookie = `${name}=; max-age=0; domain=${location.hostname}; path=${path}`;
  }
}

/** What ends with the app is no failure; that the node is away the page says, and the app hears the rest once it is back. */
function unlessOver(error: unknown): void {
  const isAway = error instanceof Refusal && ['unreachable', 'not_running'].includes(error.kind);
  if (!isAbort(error) && !isAway) console.error(error);
}

function words(text: unknown): string | undefined {
  return typeof text === 'string' && text ? text : undefined;
}

/** An update as the specification has it, but for its payload, which is JSON. */
function heard(row: unknown): Update {
  const { payload, serial, max_serial, info, document, summary, href, notify } = row as AppUpdateRow;
  const said = { serial, max_serial, info, document, summary, href };
  return {
    ...Object.fromEntries(Object.entries(said).filter(([, value]) => value !== undefined && value !== null)),
    payload: typeof payload === 'string' ? payload : 'null',
    ...(notify && Object.keys(notify).length ? { notify } : {}),
  };
}

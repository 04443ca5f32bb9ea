// What is being written to somebody, kept by the node a moment after it was typed, so that another tab, the terminal or
// tomorrow finds it.
import { ask, isUnreachable, Refusal } from './api';
import type { DraftRow } from './api.types';
import { keepDraft, keptDraft } from './keep';
import { beforeLocked } from './lock';
import { changed, drafts, link } from './store';

/** How long somebody has to stop typing. */
const PAUSE_MS = 1_000;

export interface Written {
  text: string;
  answers: string | null;
}

/** What is being kept. */
const underWay = new Set<Promise<void>>();
beforeLocked(() => Promise.all(underWay));

export class KeptDraft {
  /** What it is kept under in this browser, where the node is away. */
  private readonly place: string;
  private number: number | null = null;
  /** It lies in this browser, for the node was away. */
  private isHere = false;
  private kept: Written = { text: '', answers: null };
  private wanted: Written = this.kept;
  private timer: ReturnType<typeof setTimeout> | undefined;
  /** What is asked of the node comes one after the other. */
  private turn: Promise<void> = Promise.resolve();

  constructor(
    private readonly who: string,
    /** The name of the thread that it goes on in; none beside all threads. */
    private readonly thread: string | null,
    private readonly isTo: (named: string) => boolean,
    private readonly onFailure: (error: unknown) => void,
  ) {
    this.place = thread ? `${who} ${thread}` : who;
  }

  /** The draft of this conversation, as the list of them has it. */
  private listed(): DraftRow | undefined {
    const isHere = (one: DraftRow) => (one.thread ?? null) === this.thread && one.to.length === 1 && this.isTo(one.to[0]!);
    return drafts.value.findLast((one) => !one.at && !one.refused && isHere(one));
  }

  /** What is kept elsewhere and not known here; nothing while something here is not kept yet. */
  async found(): Promise<Written | null> {
    await this.turn;
    const here = await keptDraft(this.place);
    if (here && !this.isUnkept) {
      // The node has it a moment after it is back.
      this.isHere = true;
      this.write(here.text, here.answers);
      return here;
    }
    const row = this.listed();
    if (this.isUnkept || row?.number === this.number) return null;
    if (!row) return this.gone();
    const whole = await ask('GET /v1/drafts/{number}', { number: String(row.number) }).catch(() => null);
    if (!whole || this.isUnkept) return null;
    this.number = whole.number;
    this.kept = { text: whole.text, answers: whole.in_reply_to };
    this.wanted = this.kept;
    return this.kept;
  }

  /** Nothing more, where what was kept here was sent or deleted elsewhere. */
  private async gone(): Promise<Written | null> {
    if (this.number === null) return null;
    const isThere = await ask('GET /v1/drafts/{number}', { number: String(this.number) }).then(
      () => true,
      (error: unknown) => !(error instanceof Refusal && error.kind === 'not_found'),
    );
    if (isThere || this.isUnkept) return null;
    this.number = null;
    this.kept = { text: '', answers: null };
    this.wanted = this.kept;
    return this.kept;
  }

  private get isUnkept(): boolean {
    return this.isHere || this.wanted.text !== this.kept.text || this.wanted.answers !== this.kept.answers;
  }

  /** This is written now. */
  write(text: string, answers: string | null): void {
    this.wanted = { text, answers };
    clearTimeout(this.timer);
    if (this.isUnkept) this.timer = setTimeout(() => this.keep(), PAUSE_MS);
  }

  /** Keeps it at once. */
  keep(): void {
    clearTimeout(this.timer);
    if (!this.isUnkept) return;
    const { text, answers } = this.wanted;
    const isNothing = !text.trim() && !answers;
    const was = this.kept;
    this.kept = this.wanted;
    const turn = this.turn.then(async () => {
      try {
        // To find out once more that the node is away may take longer than this page has.
        if (link.value === 'down' && !isNothing) await this.keepHere({ text, answers });
        const before = this.number;
        const added = isNothing ? null : await this.add(text, answers);
        if (before !== null) {
          await ask('DELETE /v1/drafts/{number}', { number: String(before) }).catch((error: unknown) => {
            if (isNothing && isUnreachable(error)) throw error;
          });
        }
        this.number = added;
        await this.keepHere(null);
        changed('drafts');
      } catch (error) {
        this.kept = was;
        if (!isUnreachable(error) || !(await this.keepHere(isNothing ? null : { text, answers }))) this.onFailure(error);
      }
    });
    this.turn = turn;
    underWay.add(turn);
    void turn.finally(() => underWay.delete(turn));
  }

  /** Keeps it in this browser, or nothing any more; whether it could. */
  private async keepHere(what: Written | null): Promise<boolean> {
    const isKept = await keepDraft(this.place, what);
    this.isHere = isKept && what !== null;
    return isKept;
  }

  private async add(text: string, answers: string | null): Promise<number> {
    // In a thread it is kept as its next word, so that it is found there again and nowhere else.
    const compose = { to: this.who, text, ...(this.thread ? { thread: this.thread } : answers ? { in_reply_to: answers } : {}) };
    return (await ask('POST /v1/drafts', { compose })).number;
  }

  /** It was sent: nothing of it is to be kept. */
  forget(): void {
    this.write('', null);
    this.keep();
  }
}

// The rows of one open conversation: a window on it that grows at either end, page by page, and never beyond its bound.
import { signal } from '@preact/signals';
import { ask, isUnreachable, rows as rowsOf } from './api';
import type { StatusRow, TalkRow } from './api.types';
import { keptRows } from './keep';
import { onAnew, onHappened, rowOf, type HappenedRow } from './store';
import { complain } from './tell';

const PAGE_ROWS = 60;
/** Rows that are kept, and shown, at once. */
const ROWS_MAX = 240;
/** What stands before the first unread row as the conversation opens. */
const CONTEXT_ROWS = 12;
/** So many rows are looked through at the end, when something came. */
const END_ROWS = 50;
/** So many messages are marked with one request. */
const MARKED_AT_ONCE = 256;

export class OpenTalk {
  readonly rows = signal<TalkRow[]>([]);
  readonly hasOlder = signal(false);
  readonly hasNewer = signal(false);
  readonly isLoaded = signal(false);
  readonly failed = signal<unknown>(null);
  /** The first row that was unread when the conversation was opened. */
  readonly firstUnread = signal<string | null>(null);
  /** The row to be looked at, once it is here. */
  readonly target = signal<string | null>(null);
  /** What became of one's own messages, with whose word it is, by their ids. */
  readonly states = signal<ReadonlyMap<string, StatusRow>>(new Map());

  private readonly ended = new AbortController();
  private isLoading = false;
  /** What is here was kept in this browser, for the node is away. */
  private isKept = false;
  private isRecounting = false;
  private recountWanted = false;
  private endWanted = false;
  /** How many answers are on their way here, and what happened since the first of them was asked for: they may not know of it. */
  private looks = 0;
  private meanwhile: HappenedRow[] = [];
  private readonly marked = new Set<string>();
  private marking: ReturnType<typeof setTimeout> | undefined;
  private readonly asked = new Set<string>();
  private readonly quit: (() => void)[] = [];

  constructor(
    readonly who: string,
    /** Only the messages of this thread, by the whole id of the first one. */
    readonly thread: string | null = null,
  ) {
    this.quit.push(
      onHappened((row) => this.happened(row)),
      onAnew((of) => {
        if (!of) void this.renewEnd();
        else if (of.startsWith('message:')) void this.renewRow(of.slice('message:'.length));
        else if (of === 'receipts') void this.findMembers();
      }),
    );
  }

  end(): void {
    this.flushMarks();
    this.ended.abort();
    for (const quit of this.quit) quit();
  }

  /** Opens it at a row, or where this reader was: at what is unread, else at the end. */
  async open(at?: string): Promise<void> {
    await this.load(async () => {
      if (this.thread) return this.openThread(this.thread);
      if (at && (await this.openAt(at))) return;
      const { who } = this;
      const rows = await this.page({ who, limit: PAGE_ROWS, from_unread: CONTEXT_ROWS }).catch((error: unknown) => this.kept(error));
      if (this.isKept) return void (this.rows.value = rows);
      const first = rows.find((row) => !row.read && !row.mine);
      this.firstUnread.value = first?.id ?? null;
      this.hasNewer.value = first !== undefined && rows.length >= PAGE_ROWS;
      this.hasOlder.value = rows.length > 0;
      this.rows.value = rows;
    });
    void this.findStates();
  }

  /** What was kept of it here. */
  private async kept(why: unknown): Promise<TalkRow[]> {
    const rows = isUnreachable(why) ? await keptRows(this.who) : [];
    if (!rows.length) throw why;
    this.isKept = true;
    return rows;
  }

  private async openThread(first: string): Promise<void> {
    const { who } = this;
    const thread = first.slice(0, 32);
    const said = await this.page({ who, thread, limit: ROWS_MAX });
    const isRoot = (row: TalkRow) => row.id.startsWith(first);
    // Of a long one the last are here, and what it began with; which may not have come, or be deleted.
    const root = said.some(isRoot) ? [] : await this.around(first, 0).catch(() => []);
    this.hasOlder.value = false;
    this.hasNewer.value = false;
    this.rows.value = [...root.filter(isRoot), ...said];
  }

  private async openAt(id: string): Promise<boolean> {
    try {
      const rows = await this.around(id, PAGE_ROWS / 2);
      if (!rows.some((row) => row.id === id)) return false;
      this.rows.value = rows;
      this.target.value = id;
      return true;
    } catch {
      return false;
    }
  }

  /** A row with so many on either side of it. */
  private async around(id: string, beside: number): Promise<TalkRow[]> {
    const { who } = this;
    const before = await this.page({ who, before: id, limit: Math.max(1, beside) });
    const last = before.at(-1);
    this.hasOlder.value = before.length >= beside;
    const many = beside + 1;
    const rest = last ? await this.page({ who, after: last.id, limit: many }) : await this.firstRows(many);
    this.hasNewer.value = rest.length >= many;
    return [...before, ...rest];
  }

  /** The first rows of all: there is nothing before them to name. */
  private async firstRows(many: number): Promise<TalkRow[]> {
    const found: TalkRow[] = [];
    for await (const row of rowsOf('GET /v1/talk/{who}', { who: this.who }, this.ended.signal)) {
      found.push(row);
      if (found.length >= many) break;
    }
    return found;
  }

  async older(): Promise<void> {
    const first = this.rows.value[0];
    if (!this.hasOlder.value || !first || this.thread) return;
    await this.load(async () => {
      const more = await this.page({ who: this.who, before: first.id, limit: PAGE_ROWS });
      const rows = [...more, ...this.rows.value];
      this.hasOlder.value = more.length >= PAGE_ROWS;
      if (rows.length > ROWS_MAX) this.hasNewer.value = true;
      this.rows.value = rows.slice(0, ROWS_MAX);
    });
    void this.findStates();
  }

  async newer(): Promise<void> {
    const last = this.rows.value.at(-1);
    if (!this.hasNewer.value || !last || this.thread) return;
    await this.load(async () => {
      const more = await this.page({ who: this.who, after: last.id, limit: PAGE_ROWS });
      const rows = [...this.rows.value, ...more];
      this.hasNewer.value = more.length >= PAGE_ROWS;
      if (rows.length > ROWS_MAX) this.hasOlder.value = true;
      this.rows.value = rows.slice(-ROWS_MAX);
    });
    void this.findStates();
  }

  /** Goes to the end, also where that is not here. */
  async toEnd(): Promise<void> {
    if (!this.hasNewer.value) return;
    await this.load(async () => {
      const rows = await this.page({ who: this.who, limit: PAGE_ROWS });
      this.hasOlder.value = rows.length >= PAGE_ROWS;
      this.hasNewer.value = false;
      this.rows.value = rows;
    });
    void this.findStates();
  }

  /** Takes in what came at the end, or late a little before it. */
  async renewEnd(): Promise<void> {
    if (this.isLoading) {
      this.endWanted = true;
      return;
    }
    if (!this.isLoaded.value || this.hasNewer.value) return;
    await this.load(async () => {
      if (this.thread) return this.openThread(this.thread);
      const rows = await this.page({ who: this.who, limit: END_ROWS });
      if (this.isKept) {
        // The page goes on from what the node says.
        this.isKept = false;
        this.hasOlder.value = rows.length >= END_ROWS;
        this.rows.value = rows;
        return;
      }
      const here = this.rows.value;
      const ids = new Set(rows.map((row) => row.id));
      const meet = here.findIndex((row) => ids.has(row.id));
      if (meet < 0) {
        this.hasOlder.value = rows.length >= END_ROWS;
        this.rows.value = rows;
        return;
      }
      const all = [...here.slice(0, meet), ...rows];
      if (all.length > ROWS_MAX) this.hasOlder.value = true;
      this.rows.value = all.slice(-ROWS_MAX);
    });
    void this.findStates();
  }

  /** Looks up a row anew of which no event tells that something was changed. */
  private async renewRow(id: string): Promise<void> {
    const at = this.rows.value.findIndex((row) => row.id === id);
    const before = this.rows.value[at - 1];
    if (at < 0) return;
    const { who } = this;
    const next = this.rows.value[1];
    await this.looking(async () => {
      const [row] = await (before ? this.page({ who, after: before.id, limit: 1 }) : this.page({ who, limit: 1, ...(next ? { before: next.id } : {}) })).catch(() => []);
      if (row?.id === id) this.rows.value = this.rows.value.map((one) => (one.id === id ? row : one));
    });
  }

  /** Counts anew how many answer in the thread of a name, or in any where it is not known in which somebody was. */
  private async recount(thread: string | null): Promise<void> {
    if (this.thread) return;
    const [first] = this.rows.value;
    if (!first || this.isRecounting) {
      this.recountWanted ||= first !== undefined;
      return;
    }
    if (thread) {
      const root = this.rows.value.find((row) => row.id.startsWith(thread));
      if (root) await this.renewRow(root.id);
      return;
    }
    if (!this.rows.value.some((row) => row.replies)) return;
    this.isRecounting = true;
    const behind = await this.page({ who: this.who, after: first.id, limit: this.rows.value.length }).catch(() => []);
    const counts = new Map(behind.map((row) => [row.id, row.replies]));
    this.rows.value = this.rows.value.map((row) => (counts.has(row.id) && counts.get(row.id) !== row.replies ? withReplies(row, counts.get(row.id)) : row));
    if (first.replies) await this.renewRow(first.id);
    this.isRecounting = false;
    if (this.recountWanted && !this.ended.signal.aborted) {
      this.recountWanted = false;
      void this.recount(null);
    }
  }

  private async load(doing: () => Promise<void>): Promise<void> {
    if (this.isLoading) return;
    this.isLoading = true;
    try {
      await this.looking(doing);
      this.failed.value = null;
    } catch (error) {
      // That the node is away is said above all of them.
      if (!this.ended.signal.aborted && !(isUnreachable(error) && this.rows.value.length)) this.failed.value = error;
    }
    this.isLoaded.value = true;
    this.isLoading = false;
    if (this.endWanted && !this.ended.signal.aborted) {
      this.endWanted = false;
      void this.renewEnd();
    }
  }

  /** Takes in what is asked for, and then what happened while the answer was on its way. */
  private async looking(doing: () => Promise<void>): Promise<void> {
    this.looks++;
    try {
      await doing();
    } finally {
      this.looks--;
      if (!this.looks) {
        const came = this.meanwhile;
        this.meanwhile = [];
        for (const happened of came) this.take(happened);
      }
    }
  }

  private page(fields: { who: string; limit: number; before?: string; after?: string; from_unread?: number; thread?: string }): Promise<TalkRow[]> {
    return ask('GET /v1/talk/{who}', fields, this.ended.signal);
  }

  private happened(happened: HappenedRow): void {
    if (this.looks) this.meanwhile.push(happened);
    const row = rowOf(happened);
    const here = this.take(happened);
    if (row?.conversation === this.who) {
      if (happened.what === 'message' && row.thread) void this.recount(row.thread);
      if (here && row.mine && row.what === 'state') void this.findState(row.id);
    } else if (!row && happened.id && happened.what === 'deleted' && (!here || here.thread)) void this.recount(here?.thread ?? null);
  }

  /** Takes in what happened, as far as it is about these rows: gives the one that stood there. */
  private take(happened: HappenedRow): TalkRow | undefined {
    const row = rowOf(happened);
    const here = this.rows.value.find((one) => one.id === happened.id);
    if (!row) {
      if (here) this.rows.value = this.rows.value.filter((one) => one !== here);
    } else if (row.conversation !== this.who) return;
    // An event does not tell what it answers, nor whether it stands late.
    else if (here) this.rows.value = this.rows.value.map((one) => (one === here ? { ...row, answers: here.answers, late: here.late } : one));
    else if (row.what === 'message') void this.renewEnd();
    return here;
  }

  /** What became of one's own messages that are here: of the last ones at once, of others one by one. */
  private async findStates(): Promise<void> {
    const missing = () => this.rows.value.filter((row) => row.mine && !this.asked.has(row.id));
    if (missing().length > 3) {
      try {
        const found = await ask('GET /v1/status', { to: this.who, limit: PAGE_ROWS }, this.ended.signal);
        for (const row of found) this.asked.add(row.id);
        this.states.value = new Map([...this.states.value, ...found.map((row) => [row.id, row] as const)]);
      } catch {
        return;
      }
    }
    for (const row of missing()) {
      this.asked.add(row.id);
      await this.findState(row.id);
    }
  }

  /** Another member of a group has what was written there. */
  private async findMembers(): Promise<void> {
    const isMissed = (row: TalkRow) => this.states.value.get(row.id)?.members?.some((member) => member.state !== 'delivered' && member.state !== 'read');
    if (!this.rows.value.some(isMissed)) return;
    for (const row of this.rows.value) if (isMissed(row)) this.asked.delete(row.id);
    await this.findStates();
  }

  private async findState(id: string): Promise<void> {
    try {
      const [found] = await ask('GET /v1/status/{id}', { id }, this.ended.signal);
      if (found) this.states.value = new Map(this.states.value).set(id, found);
    } catch {
      this.asked.delete(id);
    }
  }

  /** These were seen; they are marked together a moment later. */
  seen(ids: string[]): void {
    const fresh = ids.filter((id) => !this.marked.has(id));
    if (!fresh.length) return;
    for (const id of fresh) this.marked.add(id);
    this.toMark.push(...fresh);
    this.marking ??= setTimeout(() => this.flushMarks(), 400);
  }

  private toMark: string[] = [];

  private flushMarks(): void {
    clearTimeout(this.marking);
    this.marking = undefined;
    const ids = this.toMark;
    this.toMark = [];
    for (let n = 0; n < ids.length; n += MARKED_AT_ONCE) {
      const some = ids.slice(n, n + MARKED_AT_ONCE);
      ask('POST /v1/inbox/mark', { ids: some, read: true }).catch((error: unknown) => {
        for (const id of some) this.marked.delete(id);
        if (!isUnreachable(error)) complain(error);
      });
    }
  }
}

/** A row with another count of answers. */
function withReplies({ replies: _, ...row }: TalkRow, replies: number | undefined): TalkRow {
  return replies ? { ...row, replies } : row;
}

/** When it was written, or came where its writer's clock is of no use: one that runs ahead of when it came here. */
export function written(row: TalkRow): string | null {
  const { sent_at: sent, received_at: came } = row;
  if (!sent) return came;
  return came && !row.mine && isAhead(row) ? came : sent;
}

/** Its writer's clock said something that cannot be. */
export function isAhead(row: TalkRow): boolean {
  const { sent_at: sent, received_at: came } = row;
  return !row.mine && !!sent && !!came && Date.parse(sent) > Date.parse(came) + 600_000;
}

/** The name of a row's thread: that of the first message, which is the first half of its id. */
export function threadOf(row: TalkRow): string {
  return row.thread ?? row.id.slice(0, 32);
}

// Written by types.mjs from src/api/openapi.json; whoever changes that runs `npm run build` here.

/** What is here of a message that another one answers. */
export type AnswersRow = {
  from: PersonRow | null;
  /** The first half of it, where the message is not here. */
  id: string;
  /** It is one's own. */
  mine: boolean;
  /** The beginning of its words, or its subject where it has none; none where it cannot be read. */
  text: string | null;
  there: Parent;
};

/** A failure in words for a person, with a kind that scripts can act on. */
export type ApiError = {
  kind: ErrorKind;
  /** What failed and why, without a full stop. */
  message: string;
  /** What to do about it; none where nothing can be done, or where the node that said so is of an earlier version. */
  next?: NextStep | null;
  /** The same as an imperative, in the words of the door that it goes through. */
  next_step?: string | null;
};

export type AppBeginBody = {
  app: string;
  /** A contact's name, a group, or an address. */
  who: string;
};

/** How many updates of an app may be written, and how many bytes. */
export type AppBound = {
  bytes: number;
  updates: number;
};

/** What an app wants this person to be told. */
export type AppNotice = {
  /** Which of its pages the app opens from there. */
  href?: string | null;
  text: string;
};

/** A shared app: a message with a file whose name ends in `.xdc`. */
export type AppRow = {
  /** When it was sent. */
  at: string | null;
  /** What these may come to. */
  bound: AppBound;
  /** Why its file cannot be opened. */
  broken?: string | null;
  /** Bytes of these. */
  bytes: number;
  /** The address of whom the conversation is with. */
  conversation: string;
  /** What is being edited with it, the same. */
  document: string | null;
  /** Who sent it. */
  from: PersonRow;
  /** Whether its file is here as a whole and can be opened. */
  here: boolean;
  /** Whether it has an icon. */
  icon: boolean;
  /** Of the message that has it. */
  id: string;
  /** That is oneself. */
  mine: boolean;
  /** As it calls itself; else its file's name without its ending. */
  name: string;
  /** Nothing more is told in it from here, for that bound is reached. */
  read_only: boolean;
  /** The version of the contract. */
  schema: number;
  /** Where its source is, as it says itself. */
  source_code_url: string | null;
  /** What stands beside its icon, as its last update that has some says. */
  summary: string | null;
  /** How many updates of it are here. */
  updates: number;
};

/** An app, with what it takes to run it. */
export type AppStartRow = {
  /** When it was sent. */
  at: string | null;
  /** What these may come to. */
  bound: AppBound;
  /** Why its file cannot be opened. */
  broken?: string | null;
  /** Bytes of these. */
  bytes: number;
  /** The address of whom the conversation is with. */
  conversation: string;
  /** What is being edited with it, the same. */
  document: string | null;
  /** Who sent it. */
  from: PersonRow;
  /** Whether its file is here as a whole and can be opened. */
  here: boolean;
  /** The host that its files are served at, where a browser runs it. */
  host: string;
  /** Whether it has an icon. */
  icon: boolean;
  /** Of the message that has it. */
  id: string;
  /** That is oneself. */
  mine: boolean;
  /** As it calls itself; else its file's name without its ending. */
  name: string;
  /** It came with the program. */
  ours: boolean;
  /** Nothing more is told in it from here, for that bound is reached. */
  read_only: boolean;
  /** The version of the contract. */
  schema: number;
  /** Who this person is to this app: the same on all devices, another in every other app, and no address. */
  self_addr: string;
  self_name: string;
  /** Most bytes of an update as JSON. */
  send_update_bytes_max: number;
  /** How long it waits between two updates, in milliseconds. */
  send_update_interval_ms: number;
  /** Where its source is, as it says itself. */
  source_code_url: string | null;
  /** What stands beside its icon, as its last update that has some says. */
  summary: string | null;
  /** How many updates of it are here. */
  updates: number;
};

/** An update to be told in an app. */
export type AppUpdateBody = {
  /** What is being edited. */
  document?: string | null;
  /** Which of its pages the app opens from that line. */
  href?: string | null;
  /** A line for the conversation. */
  info?: string | null;
  /** The payload is a text, which is JSON, and goes as it is written. */
  json?: boolean;
  /** Whom of its users the app wants to be told, and what; `*` is everybody. */
  notify?: unknown;
  /** What the app alone understands; nothing is null. */
  payload?: unknown;
  /** What stands beside the icon. */
  summary?: string | null;
};

/** An update as an app hears it. */
export type AppUpdateRow = {
  /** When it was sent. */
  at: string | null;
  document?: string | null;
  from: PersonRow;
  href?: string | null;
  id: string;
  info?: string | null;
  /** The serial of the last one that is here. */
  max_serial: number;
  /** It is one's own. */
  mine: boolean;
  /** Whom of its users the app wants to be told, by their addresses within it. */
  notify?: unknown;
  /** As it was sent. */
  payload: unknown;
  /** The version of the contract. */
  schema: number;
  /** Where an app reads on that has dealt with everything up to this one. */
  serial: number;
  summary?: string | null;
};

export type ArrangeBody = {
  how: Arranging;
  what: string[];
};

/** Where something is put now. */
export type ArrangedRow = {
  archived: boolean;
  /** The address of whom the conversation is with. */
  conversation: string;
  /** What names this person waits all the same. */
  except_mentions: boolean;
  /** Of a message; none of a conversation. */
  id: string | null;
  muted: boolean;
  /** None where it is muted for ever. */
  muted_until: string | null;
  name: string | null;
  pinned: boolean;
  /** The version of the contract. */
  schema: number;
  snoozed_until: string | null;
};

/** Where something is put. */
export type Arranging = "unarchive" | "unpin" | "unsnooze" | "unmute" | "archive" | "pin" | {
  snooze: ArrangingSnooze;
} | {
  mute: ArrangingMute;
};

export type ArrangingMute = {
  /** What names this person is told of, and waits. */
  except_mentions?: boolean;
  until?: string | null;
};

export type ArrangingSnooze = {
  until: string;
};

/** Whether the person is away, and what is said then. */
export type AwayRow = {
  away: boolean;
  every_ms: number | null;
  reply: boolean;
  /** The version of the contract. */
  schema: number;
  since: string | null;
  text: string | null;
  until: string | null;
};

export type BackupBody = {
  passphrase: string;
  path: string;
};

/** What a program works on that sends a message. */
export type Because = {
  /** The hook whose program it is. */
  hook?: string | null;
  /** The message, by its id. */
  id: string;
};

/** What is beside the record. */
export type Beside = "contacts" | "groups" | "drafts" | "nearby" | "receipts" | "topics" | "places" | "files" | "away";

/** A task on the board. */
export type BoardRow = {
  assignee: PersonRow | null;
  /** The address of whom the conversation is with. */
  conversation: string;
  due: string | null;
  /** Who wrote it. */
  from: PersonRow;
  /** The message that it is. */
  id: string;
  /** The version of the contract. */
  schema: number;
  state: TaskWord;
  text: string | null;
};

/** One bundle held. */
export type CarriedRow = {
  accepted_at: string | null;
  bytes: number;
  class: Class;
  /** Spray copies left to hand on. */
  copies: number;
  expires_at: string | null;
  from: string;
  from_address: string;
  grade: Grade;
  id: string;
  /** `message` or `receipt`. */
  kind: string;
  priority: Priority;
  /** The version of the contract. */
  schema: number;
  to: string;
  to_address: string;
  /** Who handed it over; none for one's own. */
  via: string | null;
};

export type CarryLimitBody = {
  bytes: number;
};

/** What this node holds, for whom, and how much it may. */
export type CarryRow = {
  /** Messages held, own ones included. */
  bundles: number;
  by_class: Classes;
  by_grade: Grades;
  /** Live bytes that count against the quota. */
  bytes: number;
  /** Bundles evicted since the node started, in the order in which eviction takes them. */
  evicted: Evicted;
  /** What the store takes on the disk. */
  file_bytes: number;
  quota_bytes: number;
  receipts: number;
  /** Bundles and frames of peers refused since the node started, for their form, their keys or their signature. */
  refused: number;
  /** The version of the contract. */
  schema: number;
};

/** What is to be changed of a message; at least one thing. */
export type ChangeBody = {
  /** A name or an address; an empty text for nobody. */
  assignee?: string | null;
  /** Other words; only of one's own. */
  body?: string | null;
  /** It is due at no time any more. */
  clear_due?: boolean;
  due?: string | null;
  reaction?: WishedReaction | null;
  task?: TaskWord | null;
  /** That it be forgotten; only of one's own. */
  withdrawn?: boolean;
};

/** One thing that `doctor` looked at. */
export type CheckRow = {
  check: string;
  message: string;
  /** As in an error; none where all is well. */
  next?: NextStep | null;
  next_step: string | null;
  /** The version of the contract. */
  schema: number;
  verdict: Verdict;
};

export type Class = "topics" | "strangers" | "contacts" | "own";

export type Classes = {
  contacts: Counts;
  own: Counts;
  strangers: Counts;
  /** For topics, whoever wrote it. */
  topics: Counts;
};

export type CodeRow = {
  /** `7-copper-lantern`; serves once. */
  code: string;
  /** By the clock of this machine. */
  expires_at: string | null;
  /** The version of the contract. */
  schema: number;
  /** The code with places where this node may be met, for a QR code; it is taken in the code's place. */
  uri: string;
};

/** A message to be sent. */
export type Compose = {
  attachments?: File[];
  /** A program sends it by itself, for it works on a message: it is marked as automatic, and refused where it would answer what may not be answered so. */
  because?: Because | null;
  /** The spray budget; where none is said, as is usual with the recipient, and else as the strategy has it. */
  copies?: number | null;
  /** So long after it was first shown it is to be forgotten: a second to 365 days. */
  expire_after_read_ms?: number | null;
  /** The message to pass on, by its id: its subject, its words and its files go along as they are, and `text` is what is said of them. */
  forward?: string | null;
  /** The id of the message this answers. */
  in_reply_to?: string | null;
  /** How long it may be under way; where nothing is said, as is usual with the recipient, and else a week. */
  lifetime_ms?: number | null;
  /** How far ahead of UTC the writer's clock on the wall is, at most 18 hours either way: the recipient sees times by it too. */
  offset_minutes?: number | null;
  /** A key of 16 to 64 letters, digits, `-` or `_`, chosen at random: sent again under the same key, after an answer that was lost, it is the message that is there already, and another under it is refused. The last 4,096 keys are remembered. */
  once?: string | null;
  /** Files and folders of this machine that are too large to ride inside, by their whole paths: they are taken in at once, and go in parts. */
  paths?: string[];
  /** Where none is said, as is usual with the recipient, and else normal. */
  priority?: Priority | null;
  /** When an answer would no longer help. */
  reply_by?: string | null;
  subject?: string | null;
  /** What it is meant to be. */
  tags?: Tag[];
  /** It is a task from the start. */
  task?: ComposedTask | null;
  text?: string;
  /** The id of the conversation's first message, as rows give it. */
  thread?: string | null;
  to: string;
  /** Files that were brought before, by `POST /v1/files`; they go in parts. */
  uploads?: Upload[];
};

/** What is to be done, by whom and until when. */
export type ComposedTask = {
  /** A name or an address. */
  assignee?: string | null;
  due?: string | null;
};

/** One setting and where its value comes from. */
export type ConfigRow = {
  key: string;
  /** `default`, `config.toml`, `environment NAME` or `command line`. */
  origin: string;
  /** The version of the contract. */
  schema: number;
  value: string;
};

export type ContactRenameBody = {
  name: string;
};

/** Somebody this person named. */
export type ContactRow = {
  address: string;
  /** Who introduced it: a name or an address; nobody else's word stands for the key. */
  introduced_by?: string | null;
  /** This home's own words, for the comparison. */
  my_safety_words: string;
  name: string;
  peer_id: string;
  /** The name it had until this answer, where it was given another. */
  renamed_from?: string | null;
  safety_words: string;
  /** The version of the contract. */
  schema: number;
  standing: Standing;
  /** How messages to it go where nothing else is said. */
  usual?: Usual;
  /** The safety words were compared. */
  verified: boolean;
};

export type ContactSetBody = {
  clear?: boolean;
  usual?: Usual;
};

export type ContactShareBody = {
  text?: string | null;
  with: string;
};

export type ContactVerifyBody = {
  verified: boolean;
};

/** A conversation as `talk` lists them. */
export type ConversationRow = {
  archived: boolean;
  /** The address of whom it is with; names are this person's own, and change. */
  conversation: string;
  /** What names this person waits all the same. */
  except_mentions: boolean;
  /** When the last row came or was written. */
  last_at: string | null;
  /** The last words are one's own. */
  last_mine: boolean;
  /** The beginning of what it says; none where it cannot be read. */
  last_text: string | null;
  muted: boolean;
  /** None where it is muted for ever. */
  muted_until: string | null;
  name: string | null;
  /** What such a one calls itself, where it is near; anybody can call himself anything. */
  nickname?: string | null;
  pinned: boolean;
  /** It is with somebody who has no name here. */
  request: boolean;
  /** The version of the contract. */
  schema: number;
  snoozed_until: string | null;
  unread: number;
  /** Of the unread ones, those that wait for this person: see `Show`. */
  waiting: number;
};

export type Counts = {
  bundles: number;
  bytes: number;
};

/** A change that gave way to one whose author had not seen it. */
export type CrossingRow = {
  gave_way: HistoryRow;
  /** The message that both are about. */
  id: string;
  /** The version of the contract. */
  schema: number;
  stands: HistoryRow;
};

export type CrossingsBody = {
  /** The person is told of them now. */
  told?: boolean;
};

/** It was done, and there is nothing to tell. */
export type Done = {
  done: boolean;
  /** The version of the contract. */
  schema: number;
};

/** Something written that is not sent. */
export type DraftRow = {
  /** When it goes by itself; where that is over, as soon as a node runs. */
  at: string | null;
  attachments: FileRow[];
  /** So long after it was read it is forgotten. */
  expire_after_read_ms?: number | null;
  /** The first half of the id of what it answers. */
  in_reply_to: string | null;
  lifetime_ms: number | null;
  made_at: string | null;
  /** Its name here; no later one has the same. */
  number: number;
  priority: Priority;
  /** Why it was not sent, where that was tried. */
  refused: string | null;
  reply_by: string | null;
  /** The version of the contract. */
  schema: number;
  subject: string | null;
  /** In a list, the beginning of it. */
  text: string;
  /** The thread that it goes on in, where it answers no message of it. */
  thread?: string | null;
  /** The names this person gave the recipients, their addresses, or what was typed where nobody was found by it. */
  to: string[];
};

export type DraftSendBody = {
  /** To others than it says. */
  to?: string[];
};

/** What became of a bundle from a stick. */
export type EnteredRow = {
  fate: Fate;
  /** None where it is no bundle, or not what its source signed. */
  id: string | null;
  /** It was refused for now, and could be taken at another time. */
  may_come_again: boolean;
  /** The version of the contract. */
  schema: number;
  /** Why it was refused. */
  why?: string | null;
};

/** The kinds of failure; each is one exit code and one HTTP status. */
export type ErrorKind = "failure" | "usage" | "not_running" | "not_found" | "refused" | "in_flight" | "store" | "verification" | "forgotten" | "busy" | "in_use" | "place";

/** `{"schema":1,"exit_code":3,"error":{"kind":"not_running",...}}` */
export type ErrorReport = {
  error: ApiError;
  exit_code: number;
  /** The version of the contract. */
  schema: number;
};

/** One thing that happened to one's own message. */
export type Event = {
  at: string | null;
  /** Why the recipient rejected it. */
  reason?: string | null;
  /** When the recipient, whose mailbox was full, asks to be tried again. */
  retry_at?: string | null;
  what: EventKind;
  /** Whose word it is: a name or an address; none where it is this node's own. */
  who: string | null;
  who_address?: string | null;
};

/** One thing that happened to one's own message. */
export type EventAsked = {
  at?: string | null;
  /** Why the recipient rejected it. */
  reason?: string | null;
  /** When the recipient, whose mailbox was full, asks to be tried again. */
  retry_at?: string | null;
  what: EventKind;
  /** Whose word it is: a name or an address; none where it is this node's own. */
  who?: string | null;
  who_address?: string | null;
};

/** What evidence says. */
export type EventKind = "queued" | "copy" | "custody" | "expired" | "cancelled" | "rejected" | "delivered" | "read" | "gave_up" | "full";

export type Evicted = {
  copy: number;
  custody: number;
  released: number;
};

/** An event that a group of consumers gave up. */
export type FailedRow = {
  /** From 1 on. */
  attempt: number;
  endpoint: string;
  /** Numbered per topic, by this home. */
  event: number;
  failed_at: string | null;
  from: PersonRow;
  id: string;
  key: string | null;
  /** The version of the contract. */
  schema: number;
  sent_at: string | null;
  text: string;
  topic: string;
  why: string;
};

export type Fate = "refused" | "new" | "known";

/** A file inside a message; its bytes travel as hexadecimal digits. */
export type File = {
  hex: string;
  name: string;
};

export type FileGetBody = {
  from?: number | null;
  to?: number | null;
};

/** A file by name and size. */
export type FileRow = {
  bytes: number;
  /** Of an attachment: the first digits of its message's id, and which of its files it is. */
  id?: string | null;
  name: string;
  /** The version of the contract. */
  schema: number;
  /** Of an attachment with bytes: `here`. A purge takes the bytes and leaves the name. */
  state?: string | null;
};

export type FileSaveBody = {
  directory: string;
};

export type FollowPairBody = {
  /** What to call the other; what it calls itself where none is said. */
  name?: string | null;
  /** How long the code is shown: 10 minutes at most, and unless it is said. */
  timeout_ms?: number | null;
};

/** Who wrote what is forwarded, as the one who forwards it says: the author's signature did not come along. */
export type ForwardedRow = {
  author: PersonRow;
  /** The first half of the id of the message that the words were in. */
  id: string;
  sent_at: string | null;
  /** The author's signature came along and holds; else it is the sender's word alone. */
  signed: boolean;
};

/** A bundle from a stick. */
export type FromStick = {
  hex: string;
  /** When it was written there, as far as anything beside it tells. It only ever makes the bundle older. */
  written_at?: string | null;
};

export type Grade = "released" | "copy" | "custody";

export type Grades = {
  copy: Counts;
  custody: Counts;
  released: Counts;
};

export type GroupCreateBody = {
  name: string;
  with?: string[];
};

export type GroupInviteBody = {
  /** They may read what was written before as well, as far as its keys are kept. */
  from_start?: boolean;
  who: string[];
};

export type GroupOwnerBody = {
  owner: boolean;
  who: string;
};

export type GroupRemoveBody = {
  who: string;
};

export type GroupRenameBody = {
  name: string;
};

export type GroupRow = {
  address: string;
  founder: PersonRow | null;
  /** Who asked this person in. */
  invited_by: PersonRow | null;
  /** How many there are, those who are invited among them. */
  members: number;
  /** As it is typed here. */
  name: string;
  /** This person's; none of who is out. */
  role: MemberRole | null;
  /** The version of the contract. */
  schema: number;
  since: string | null;
  standing: GroupStanding;
};

/** How this person stands to a group. */
export type GroupStanding = "joined" | "invited" | "out";

export type Happened = "read" | "unread" | "deleted" | "message" | "change" | "update" | "state";

/** Something that happened to the record, by its number. */
export type HappenedRow = {
  /** Its author was out of the group when it came, as far as was known here. They say that they wrote it before. */
  after_leaving: boolean;
  /** What is here of the message that it answers. */
  answers: AnswersRow | null;
  archived: boolean;
  at: string | null;
  /** Of a change, its own id. */
  by?: string | null;
  /** The address of whom it is with. */
  conversation: string;
  /** It was to be forgotten so long after it was read, and nothing of it is here any more. */
  disappeared: boolean;
  /** Its author has put other words in the place of the first. */
  edited: boolean;
  /** The number with which it came into the record; zero where that is forgotten. */
  event: number;
  /** So long after it was first shown it is forgotten; of one's own message the copy here, after it was delivered. */
  expire_after_read_ms?: number | null;
  /** When that is, once it has begun. */
  expires_at?: string | null;
  files: FileRow[];
  /** Where the words and files come from, if somebody else wrote them, and what the writer of this says of them. */
  forwarded: ForwardedRow | null;
  from: PersonRow;
  /** Of a line of an app's, which of its pages the app opens from there. */
  href?: string | null;
  id: string;
  /** It was brought here by an import, and its signature was not looked at here. */
  imported: boolean;
  in_reply_to: string | null;
  /** Whom it introduces. */
  introduces?: IntroducedRow | null;
  /** What kind of content it is: `text`, `change`, `group`, `app` (a line of an app's), or `unreadable`. */
  kind: string;
  labels: string[];
  /** It came after something that its writer wrote later, and stands in its place. */
  late: boolean;
  /** It is one's own. */
  mine: boolean;
  muted: boolean;
  /** Of an update, what its app wants this person to be told now. */
  notice?: AppNotice | null;
  pinned: boolean;
  priority: Priority;
  reactions: ReactionRow[];
  read: boolean;
  received_at: string | null;
  remark: string | null;
  /** In a conversation, and where something happened: how many are in the thread that began with it, beside itself. Said where there are any. */
  replies?: number;
  reply_by: string | null;
  /** The version of the contract. */
  schema: number;
  sent_at: string | null;
  /** How far ahead of UTC its writer's clock on the wall was, in minutes; none where that is unknown. */
  sent_offset: number | null;
  snoozed_until: string | null;
  /** Of one's own, what became of it. */
  state: State | null;
  subject: string | null;
  /** What its writer means it to be. */
  tags: Tag[];
  /** Where it is a task. */
  task: TaskRow | null;
  text: string | null;
  thread: string | null;
  /** Why it cannot be read. */
  unreadable?: string | null;
  what: Happened;
  /** Its author asked that it be forgotten, and nothing of it is here any more. */
  withdrawn: boolean;
} | {
  at: string | null;
  by?: string | null;
  event: number;
  /** None of a message that has not come yet. */
  id: string | null;
  /** The version of the contract. */
  schema: number;
  what: Happened;
} | {
  beside: Beside;
  /** The version of the contract. */
  schema: number;
};

export type HealthForSupervisors = {
  /** Where programs reach it beside its socket. */
  api_listen?: string | null;
  ok: boolean;
  pid?: number;
  /** What keeps the node from its work; nothing where it is well. */
  problems?: string[];
  /** The version of the contract. */
  schema: number;
  uptime_ms?: number;
  version?: string;
};

export type HealthRow = {
  /** Where programs reach it beside its socket. */
  api_listen?: string | null;
  ok: boolean;
  pid: number;
  /** What keeps the node from its work; nothing where it is well. */
  problems: string[];
  /** The version of the contract. */
  schema: number;
  uptime_ms: number;
  version: string;
};

/** Who says to hold some of a file. */
export type HeldRow = {
  bytes: number;
  name: string;
};

/** One change of a message. */
export type HistoryRow = {
  at: string | null;
  /** `text`, `withdrawn`, `reaction`, `task`, `assignee` or `due`. */
  field: string;
  /** It gave way to one whose author had not seen it. */
  gave_way: boolean;
  /** Of the change. */
  id: string;
  /** The version of the contract. */
  schema: number;
  /** It is what counts. */
  stands: boolean;
  /** What it was set to. */
  what: string;
  who: PersonRow;
};

/** A message that a hook gave up. */
export type HookFailedRow = {
  /** How often it was tried. */
  attempt: number;
  event: number;
  failed_at: string | null;
  /** Of the message, where it is still there. */
  from: string | null;
  hook: string;
  id: string;
  /** The version of the contract. */
  schema: number;
  text: string | null;
  why: string;
};

export type HookRetryBody = {
  name?: string | null;
};

/** A hook as it is kept, and how it does. */
export type HookRow = {
  added_at: string | null;
  at_once: number;
  cmd: string[];
  every_ms: number;
  /** Messages that it gave up. */
  failed: number;
  /** A name or an address. */
  from: string | null;
  in: string | null;
  label: string | null;
  match: string | null;
  name: string;
  reply: boolean;
  /** Messages that it works on now. */
  running: number;
  /** The version of the contract. */
  schema: number;
  shell: boolean;
  timeout_ms: number;
  tries: number;
  /** Messages that failed and go again. */
  waiting: number;
};

export type HookTestBody = {
  id?: string | null;
};

/** What a hook came to that was only tried. */
export type HookTestedRow = {
  hook: string;
  /** The message; none where there was none to try it with, and it was told of one that nobody wrote. */
  id: string | null;
  /** Whether it would get this message at all. */
  matches: boolean;
  outcome: Outcome;
  /** The version of the contract. */
  schema: number;
  stderr: string;
  /** What it printed, as far as that is kept. */
  stdout: string;
  took_ms: number;
  why: string | null;
};

/** What is taken of a row of an export. */
export type Imported = {
  /** None where the export has no words of it. */
  content?: string | null;
  events: EventAsked[];
  expires_at?: string | null;
  /** Addresses. */
  from: string;
  id: string;
  key?: string | null;
  lifetime_ms: number;
  /** Where it stands in the file. */
  line: number;
  mine: boolean;
  priority: Priority;
  read: boolean;
  received_at?: string | null;
  sent_at?: string | null;
  sequence: number;
  to: string;
  to_group?: boolean;
};

/** What became of messages that were to be imported. */
export type ImportedRow = {
  /** Messages and changes that are here now and were not before. */
  imported: number;
  /** Those that were here already, and are as they were. */
  known: number;
  /** Lines that are no row of an export, each with the reason. */
  refused: RefusedLine[];
  /** The version of the contract. */
  schema: number;
  /** Those of which the export has no words: sealed, unreadable, or disappeared. */
  without_words: number;
};

/** Messages of an earlier home, as its export has them. */
export type Imports = {
  /** At most `IMPORTS_MAX`. */
  rows: Imported[];
};

/** A message as the inbox lists it. */
export type InboxRow = {
  /** Its author was out of the group when it came, as far as was known here. They say that they wrote it before. */
  after_leaving: boolean;
  archived: boolean;
  /** Names and sizes of the attachments. */
  attachments: FileRow[];
  /** `sent_at` does not agree with when it came and how long it was under way: the sender's clock is not ours. */
  clock_differs: boolean;
  /** It was to be forgotten so long after it was read, and nothing of it is here any more. */
  disappeared: boolean;
  /** Its author has put other words in the place of the first. */
  edited: boolean;
  /** So long after it was first shown it is forgotten; of one's own message the copy here, after it was delivered. */
  expire_after_read_ms?: number | null;
  /** When that is, once it has begun. */
  expires_at?: string | null;
  /** It was sealed to a key that is thrown away; where false, whoever takes the identity key later can read it. */
  forward_secrecy: boolean;
  /** Where the words and files come from, if somebody else wrote them, and what the sender says of them. */
  forwarded: ForwardedRow | null;
  /** The name this person gave the source, or its address. */
  from: string;
  from_address: string;
  /** What the group is called here that it was written to. */
  group?: string | null;
  /** As in `TalkRow`. */
  href?: string | null;
  id: string;
  /** It was brought here by an import, and its signature was not looked at here. */
  imported: boolean;
  in_reply_to: string | null;
  /** Whom it introduces. */
  introduces?: IntroducedRow | null;
  /** As in `TalkRow`. */
  kind: string;
  labels: string[];
  muted: boolean;
  /** What to do where it is the store's fault. */
  next?: NextStep | null;
  /** What such a one calls itself, where it is near; anybody can call himself anything. */
  nickname?: string | null;
  pinned: boolean;
  priority: Priority;
  reactions: ReactionRow[];
  read: boolean;
  /** None where this node had no clock. */
  received_at: string | null;
  remark: string | null;
  reply_by: string | null;
  /** It is of somebody who has no name here. */
  request: boolean;
  /** The version of the contract. */
  schema: number;
  /** None where the sender had no clock. */
  sent_at: string | null;
  /** How far ahead of UTC the writer's clock on the wall was, in minutes; none where that is unknown. */
  sent_offset: number | null;
  /** Where it is a change of another message, what it sets; its text says the same. */
  sets?: SetRow[];
  snoozed_until: string | null;
  subject: string | null;
  /** What its writer means it to be. */
  tags: Tag[];
  /** Where it is a task. */
  task: TaskRow | null;
  /** None where this home cannot read it; `unreadable` says why. */
  text: string | null;
  thread: string | null;
  unreadable: string | null;
  /** Who handed it over: a name or an address. */
  via: string | null;
  /** Its author asked that it be forgotten, and nothing of it is here any more. */
  withdrawn: boolean;
};

/** Somebody whom the writer of a message introduces. */
export type IntroducedRow = {
  address: string;
  /** What this person calls them, where they are known. */
  known_as: string | null;
  /** What the writer calls them. */
  name: string;
};

/** Somebody to be named. */
export type Introduction = {
  /** An address as `dak me` prints it, a bare peer id, or what `dak nearby` prints of a node: the end of its id, or its own name. The same as `name` takes that name from the address. */
  address: string;
  name: string;
};

/** A message of the record with all that is known of it, as an export has it. */
export type KeptRow = {
  /** Its author was out of the group when it came, as far as was known here. They say that they wrote it before. */
  after_leaving: boolean;
  /** What is here of the message that it answers. */
  answers: AnswersRow | null;
  archived: boolean;
  /** Its content as it was sealed, files included, in hexadecimal digits; none where it cannot be read. */
  content: string | null;
  /** The address of whom it is with. */
  conversation: string;
  /** It was to be forgotten so long after it was read, and nothing of it is here any more. */
  disappeared: boolean;
  /** Its author has put other words in the place of the first. */
  edited: boolean;
  /** The number with which it came into the record; zero where that is forgotten. */
  event: number;
  /** Of one's own, what became of it. */
  events: Event[];
  /** So long after it was first shown it is forgotten; of one's own message the copy here, after it was delivered. */
  expire_after_read_ms?: number | null;
  /** When that is, once it has begun. */
  expires_at?: string | null;
  files: FileRow[];
  /** Where the words and files come from, if somebody else wrote them, and what the writer of this says of them. */
  forwarded: ForwardedRow | null;
  from: PersonRow;
  /** Of a line of an app's, which of its pages the app opens from there. */
  href?: string | null;
  id: string;
  /** It was brought here by an import, and its signature was not looked at here. */
  imported: boolean;
  in_reply_to: string | null;
  /** Whom it introduces. */
  introduces?: IntroducedRow | null;
  /** Which key opened it: `own`, `identity`, `prekey` or `group`. */
  key: string | null;
  /** What kind of content it is: `text`, `change`, `group`, `app` (a line of an app's), or `unreadable`. */
  kind: string;
  labels: string[];
  /** It came after something that its writer wrote later, and stands in its place. */
  late: boolean;
  lifetime_ms: number;
  /** It is one's own. */
  mine: boolean;
  muted: boolean;
  pinned: boolean;
  priority: Priority;
  reactions: ReactionRow[];
  read: boolean;
  received_at: string | null;
  remark: string | null;
  /** In a conversation, and where something happened: how many are in the thread that began with it, beside itself. Said where there are any. */
  replies?: number;
  reply_by: string | null;
  /** The version of the contract. */
  schema: number;
  sent_at: string | null;
  /** How far ahead of UTC its writer's clock on the wall was, in minutes; none where that is unknown. */
  sent_offset: number | null;
  /** With the time of writing, what tells its writer's messages apart. */
  sequence: number;
  /** `own`, `verified on arrival`, `sealed still`, or `imported, not verified here`; the signature itself goes when a message is opened. */
  signature: string;
  snoozed_until: string | null;
  /** Of one's own, what became of it. */
  state: State | null;
  subject: string | null;
  /** What its writer means it to be. */
  tags: Tag[];
  /** Where it is a task. */
  task: TaskRow | null;
  text: string | null;
  thread: string | null;
  to: PersonRow;
  /** Whether `to` is a group. */
  to_group: boolean;
  /** Why it cannot be read. */
  unreadable?: string | null;
  /** Its author asked that it be forgotten, and nothing of it is here any more. */
  withdrawn: boolean;
};

export type LabelBody = {
  ids: string[];
  on: boolean;
};

/** A label, and how many messages have it. */
export type LabelRow = {
  label: string;
  messages: number;
  /** The version of the contract. */
  schema: number;
};

/** A bundle that goes on a stick: its bytes are to be written as they are. */
export type LeavingRow = {
  /** When, to be written beside it, so that the time on the stick counts; none where the node has no clock. */
  at: string | null;
  hex: string;
  id: string;
  /** The version of the contract. */
  schema: number;
};

/** A whole message: its row, and the attachments with their bytes. */
export type LetterRow = {
  /** Its author was out of the group when it came, as far as was known here. They say that they wrote it before. */
  after_leaving: boolean;
  /** What is here of the message that it answers. */
  answers?: AnswersRow | null;
  archived: boolean;
  /** Names and sizes of the attachments. */
  attachments: FileRow[];
  /** `sent_at` does not agree with when it came and how long it was under way: the sender's clock is not ours. */
  clock_differs: boolean;
  /** It was to be forgotten so long after it was read, and nothing of it is here any more. */
  disappeared: boolean;
  /** Its author has put other words in the place of the first. */
  edited: boolean;
  /** So long after it was first shown it is forgotten; of one's own message the copy here, after it was delivered. */
  expire_after_read_ms?: number | null;
  /** When that is, once it has begun. */
  expires_at?: string | null;
  files: File[];
  /** It was sealed to a key that is thrown away; where false, whoever takes the identity key later can read it. */
  forward_secrecy: boolean;
  /** Where the words and files come from, if somebody else wrote them, and what the sender says of them. */
  forwarded: ForwardedRow | null;
  /** The name this person gave the source, or its address. */
  from: string;
  from_address: string;
  /** What the group is called here that it was written to. */
  group?: string | null;
  /** As in `TalkRow`. */
  href?: string | null;
  id: string;
  /** It was brought here by an import, and its signature was not looked at here. */
  imported: boolean;
  in_reply_to: string | null;
  /** Whom it introduces. */
  introduces?: IntroducedRow | null;
  /** As in `TalkRow`. */
  kind: string;
  labels: string[];
  muted: boolean;
  /** What to do where it is the store's fault. */
  next?: NextStep | null;
  /** What such a one calls itself, where it is near; anybody can call himself anything. */
  nickname?: string | null;
  pinned: boolean;
  priority: Priority;
  reactions: ReactionRow[];
  read: boolean;
  /** None where this node had no clock. */
  received_at: string | null;
  remark: string | null;
  reply_by: string | null;
  /** It is of somebody who has no name here. */
  request: boolean;
  /** The version of the contract. */
  schema: number;
  /** None where the sender had no clock. */
  sent_at: string | null;
  /** How far ahead of UTC the writer's clock on the wall was, in minutes; none where that is unknown. */
  sent_offset: number | null;
  /** Where it is a change of another message, what it sets; its text says the same. */
  sets?: SetRow[];
  snoozed_until: string | null;
  state?: State | null;
  subject: string | null;
  /** What its writer means it to be. */
  tags: Tag[];
  /** Where it is a task. */
  task: TaskRow | null;
  /** None where this home cannot read it; `unreadable` says why. */
  text: string | null;
  thread: string | null;
  /** Of one's own message: the name this person gave the destination, or its address; the address; and its state. */
  to?: string | null;
  to_address?: string | null;
  unreadable: string | null;
  /** Who handed it over: a name or an address. */
  via: string | null;
  /** Its author asked that it be forgotten, and nothing of it is here any more. */
  withdrawn: boolean;
};

export type MarkBody = {
  ids: string[];
  read: boolean;
};

/** Who this home is. */
export type MeRow = {
  /** What others add: the peer id, and hints of where to find it. */
  address: string;
  /** Where it listens, empty while no node runs. */
  listen: string[];
  name: string;
  peer_id: string;
  safety_words: string;
  /** The version of the contract. */
  schema: number;
};

export type MemberRole = "owner" | "member" | "invited";

export type MemberRow = {
  address: string;
  /** Whether it is this person. */
  me: boolean;
  /** None where this person gave them no name. */
  name: string | null;
  role: MemberRole;
  /** The version of the contract. */
  schema: number;
  /** By the clock of who admitted them. */
  since: string | null;
};

/** How far a message to a group is with one of its members. */
export type MemberStateRow = {
  address: string;
  /** None where this person gave them no name. */
  name: string | null;
  state: State;
};

/** How far a file is with a member of the group that it goes to. */
export type MemberTransferRow = {
  address: string;
  name: string | null;
  /** How much of it they say to have. */
  safe_bytes: number;
  state: TransferState;
};

/** A node that could be met. */
export type NearbyRow = {
  /** Where it can be dialed; of a contact that it dialed itself perhaps its host only. */
  address: string;
  /** There is a contact now. */
  connected: boolean;
  /** The name this person gave, if any. */
  name: string | null;
  /** What the node calls itself; anybody can call himself anything. */
  nickname: string | null;
  peer_id: string;
  /** The version of the contract. */
  schema: number;
  /** Since it was heard. */
  seen_ago_ms: number;
  /** By the clock of this machine, which may have been set since; `seen_ago_ms` does not care. */
  seen_at: string | null;
};

/** An update to be told in an app. */
export type NewAppUpdate = {
  /** What is being edited. */
  document?: string | null;
  /** Which of its pages the app opens from that line. */
  href?: string | null;
  /** The message that has the app. */
  id: string;
  /** A line for the conversation. */
  info?: string | null;
  /** The payload is a text, which is JSON, and goes as it is written. */
  json?: boolean;
  /** Whom of its users the app wants to be told, and what; `*` is everybody. */
  notify?: unknown;
  /** What the app alone understands; nothing is null. */
  payload?: unknown;
  /** What stands beside the icon. */
  summary?: string | null;
};

/** That the person is away. */
export type NewAway = {
  /** Nobody gets it so soon after an automatic answer; a day where none is said. */
  every_ms?: number | null;
  /** Contacts who write get the text, as an automatic answer. */
  reply?: boolean;
  text: string;
  until: string;
};

/** Something written that is not to be sent now. */
export type NewDraft = {
  /** When it goes by itself. */
  at?: string | null;
  compose: Compose;
  /** Whom it goes to beside the first. */
  more?: string[];
  /** Why it was not sent, where that was tried. */
  refused?: string | null;
};

/** A hook to be kept. */
export type NewHook = {
  /** So many messages at most are worked on at once; 1 where none is said, and then each in its turn. */
  at_once?: number | null;
  /** The program and its arguments. A program without a stroke is looked for in the node's PATH. */
  cmd: string[];
  /** Nobody gets an answer of it so soon after an automatic one; a day where none is said. */
  every_ms?: number | null;
  /** Only what this one wrote: a contact's name, or an address. */
  from?: string | null;
  /** Only what was said there: a contact's name, a group's, or an address. */
  in?: string | null;
  /** Only what has this label, once it has. */
  label?: string | null;
  /** Only what this query finds, as in a search. */
  match?: string | null;
  /** Letters, digits, - and _. */
  name: string;
  /** What it prints goes back as an automatic answer. */
  reply?: boolean;
  /** The words are a line for the shell instead. */
  shell?: boolean;
  /** So long it may take for one message; a minute where none is said. */
  timeout_ms?: number | null;
  /** After so many tries a message is given up; 5 where none is said. */
  tries?: number | null;
};

/** What somebody can do next, with what it takes to do it. New kinds may come: a reader takes one that it does not know for `NextStep::Advice`. */
export type NextStep = {
  step: "start_node";
} | {
  step: "stop_node";
} | {
  pid: number;
  step: "end_process";
} | {
  step: "restart_node";
} | {
  step: "check_node";
} | {
  step: "check_home";
} | {
  step: "repair_store";
} | {
  step: "update";
} | {
  step: "try_again";
} | {
  step: "follow_again";
} | {
  again: boolean;
  step: "free_space";
} | {
  mode: string;
  path: string;
  step: "make_private";
} | {
  path: string;
  step: "take_over";
} | {
  step: "ask_as_owner";
} | {
  step: "use_other_home";
} | {
  step: "use_writable_home";
} | {
  step: "set_home";
} | {
  step: "start_or_restore";
} | {
  step: "restore";
} | {
  path: string;
  step: "restore_or_move_away";
} | {
  step: "list_files";
} | {
  step: "watch_files";
} | {
  step: "list_apps";
} | {
  id: string;
  step: "send_app_anew";
} | {
  id: string;
  step: "get_file";
} | {
  id: string;
  step: "save_file";
} | {
  step: "stop_one_of_two";
} | {
  key: string;
  step: "check_setting";
} | {
  files: number;
  step: "raise_file_limit";
} | {
  port: number;
  step: "open_multicast";
} | {
  step: "make_room_for_mail";
} | {
  step: "add_contact";
} | {
  step: "give_name_as_listed";
} | {
  step: "ask_for_address";
} | {
  step: "ask_for_address_again";
} | {
  step: "ask_for_address_or_look_around";
} | {
  step: "choose_by_peer_id";
} | {
  step: "give_peer_id_whole";
} | {
  step: "copy_message_id";
} | {
  step: "copy_thread";
} | {
  step: "give_more_of_id";
  such_as: string[];
} | {
  id: string;
  step: "read_message";
} | {
  id: string;
  step: "see_status";
} | {
  step: "see_carried";
} | {
  id: string;
  step: "cancel_message";
} | {
  id: string;
  step: "withdraw_message";
} | {
  id: string;
  step: "make_task";
} | {
  id: string;
  step: "answer_instead";
} | {
  id: string;
  step: "change_target";
} | {
  event: number;
  step: "follow_from";
} | {
  step: "list_labels";
} | {
  step: "list_drafts";
} | {
  event: number;
  step: "consume_from";
} | {
  step: "make_topic";
} | {
  step: "list_topics";
} | {
  step: "list_groups";
} | {
  group: string;
  step: "join_group";
} | {
  step: "list_failed";
  topic: string;
} | {
  step: "list_hooks";
} | {
  step: "list_failed_hooks";
} | {
  step: "list_browsers";
} | {
  step: "listen_elsewhere";
} | {
  step: "end_pairing";
} | {
  step: "pair_anew";
} | {
  step: "pair_at_address";
} | {
  step: "advice";
};

export type Outcome = "done" | "again" | "give_up";

/** Whether messages get away from here. */
export type OutlookRow = {
  /** Messages to be answered within a day, and when the first of them is due. */
  due: number;
  /** One's own messages whose lives ended without a receipt since the person looked. */
  ended: number;
  /** The last event that this knows of. */
  event: number;
  first_due_at: string | null;
  first_end_at: string | null;
  /** When a contact last began or ended; none where that is not known. */
  last_met_at: string | null;
  /** Contacts that last now. */
  met_now: number;
  /** Messages whose answer was due within the last day, and is not written. */
  overdue: number;
  /** The version of the contract. */
  schema: number;
  /** One's own messages of which nobody is known to have a copy, and when the first of their lives ends. */
  waiting: number;
};

export type PairJoinBody = {
  /** The code, or the text of its QR code. */
  code: string;
  /** What to call the other; what it calls itself where none is said. */
  name?: string | null;
  /** Multiaddresses where the other may be met, beside those near by. */
  peers?: string[];
};

/** What is told of a pairing by the side that shows its code. */
export type PairRow = CodeRow | WrongCodeRow | PairedRow;

/** The contact that came of it. */
export type PairedRow = {
  address: string;
  /** Who introduced it: a name or an address; nobody else's word stands for the key. */
  introduced_by?: string | null;
  /** The other said that it has this one as a contact as well. Else the connection broke before it could. */
  mutual: boolean;
  /** This home's own words, for the comparison. */
  my_safety_words: string;
  name: string;
  peer_id: string;
  /** The name it had until this answer, where it was given another. */
  renamed_from?: string | null;
  safety_words: string;
  /** The version of the contract. */
  schema: number;
  standing: Standing;
  /** How messages to it go where nothing else is said. */
  usual?: Usual;
  /** The safety words were compared. */
  verified: boolean;
};

/** Whether what is answered is here. */
export type Parent = "here" | "deleted" | "missing";

/** A contact that lasts now. */
export type PeerRow = {
  address: string;
  name: string | null;
  /** What the node calls itself; anybody can call himself anything. */
  nickname: string | null;
  peer_id: string;
  received_bundles: number;
  /** The version of the contract. */
  schema: number;
  sent_bundles: number;
  since: string | null;
};

/** Somebody, as this person calls them. */
export type PersonRow = {
  address: string;
  /** None where this person gave no name. */
  name: string | null;
};

/** How a priority is spelled. */
export type Priority = "urgent" | "normal" | "bulk";

/** One message to be published. */
export type Publication = {
  /** What it is the latest word on. */
  key?: string | null;
  text: string;
};

export type PublishBody = {
  /** How long they are under way; a week where nothing is said. */
  lifetime_ms?: number | null;
  messages: Publication[];
  topic: string;
};

export type PublishedRow = {
  id: string;
  /** The version of the contract. */
  schema: number;
  topic: string;
};

/** What of the record is to go; what is said must all be so. */
export type Purge = {
  /** Say what would go, and leave it. */
  dry?: boolean;
  /** Only attachments; their names stay. */
  files_only?: boolean;
  /** Only the conversation with this contact. */
  from?: string | null;
  /** Only attachments of more bytes. */
  larger_than?: number | null;
  /** What came or was written before this. */
  older_than?: string | null;
};

/** What a purge took, or would take. */
export type PurgedRow = {
  bytes: number;
  /** Nothing went: it was only asked what would. */
  dry: boolean;
  files: number;
  messages: number;
  /** The version of the contract. */
  schema: number;
};

/** One person's reaction. */
export type ReactionRow = {
  /** An emoji, or a word. */
  emoji: string;
  who: PersonRow;
};

export type ReadBody = {
  mark?: boolean;
  tell?: boolean;
};

/** Whom a message goes to. */
export type RecipientRow = {
  /** The version of the contract. */
  schema: number;
  /** The name this person gave the recipient, or its address. */
  to: string;
  to_address: string;
};

export type RefusedLine = {
  line: number;
  why: string;
};

export type RenewBody = {
  /** How long it may be under way; as long as the first where none is said. */
  lifetime_ms?: number | null;
};

/** A row of a conversation that a search found. */
export type SearchRow = {
  /** Its author was out of the group when it came, as far as was known here. They say that they wrote it before. */
  after_leaving: boolean;
  /** What is here of the message that it answers. */
  answers: AnswersRow | null;
  archived: boolean;
  /** The address of whom it is with. */
  conversation: string;
  /** What this person calls whom the conversation is with. */
  conversation_name: string | null;
  /** It was to be forgotten so long after it was read, and nothing of it is here any more. */
  disappeared: boolean;
  /** Its author has put other words in the place of the first. */
  edited: boolean;
  /** The number with which it came into the record; zero where that is forgotten. */
  event: number;
  /** So long after it was first shown it is forgotten; of one's own message the copy here, after it was delivered. */
  expire_after_read_ms?: number | null;
  /** When that is, once it has begun. */
  expires_at?: string | null;
  files: FileRow[];
  /** Where the words and files come from, if somebody else wrote them, and what the writer of this says of them. */
  forwarded: ForwardedRow | null;
  from: PersonRow;
  /** Of a line of an app's, which of its pages the app opens from there. */
  href?: string | null;
  id: string;
  /** It was brought here by an import, and its signature was not looked at here. */
  imported: boolean;
  in_reply_to: string | null;
  /** Whom it introduces. */
  introduces?: IntroducedRow | null;
  /** What kind of content it is: `text`, `change`, `group`, `app` (a line of an app's), or `unreadable`. */
  kind: string;
  labels: string[];
  /** It came after something that its writer wrote later, and stands in its place. */
  late: boolean;
  /** It is one's own. */
  mine: boolean;
  muted: boolean;
  pinned: boolean;
  priority: Priority;
  reactions: ReactionRow[];
  read: boolean;
  received_at: string | null;
  remark: string | null;
  /** In a conversation, and where something happened: how many are in the thread that began with it, beside itself. Said where there are any. */
  replies?: number;
  reply_by: string | null;
  /** The version of the contract. */
  schema: number;
  /** How well it fits, in thousandths: to be compared with the others of one answer alone. */
  score: number;
  sent_at: string | null;
  /** How far ahead of UTC its writer's clock on the wall was, in minutes; none where that is unknown. */
  sent_offset: number | null;
  snoozed_until: string | null;
  /** Of one's own, what became of it. */
  state: State | null;
  subject: string | null;
  /** What its writer means it to be. */
  tags: Tag[];
  /** Where it is a task. */
  task: TaskRow | null;
  text: string | null;
  thread: string | null;
  /** Why it cannot be read. */
  unreadable?: string | null;
  /** Its author asked that it be forgotten, and nothing of it is here any more. */
  withdrawn: boolean;
};

/** A message that this node now answers for. */
export type SentRow = {
  /** How long after it was read it disappears. */
  expire_after_read_ms?: number | null;
  id: string;
  /** The version of the contract. */
  schema: number;
  state: State;
  /** The name this person gave the recipient, or its address. */
  to: string;
  to_address: string;
};

/** Something that a change sets. */
export type SetRow = {
  /** As in `HistoryRow`. */
  field: string;
  what: string;
  /** Of `assignee`, who that is; none where it is nobody. */
  who?: PersonRow | null;
};

/** What became of an event with its consumer. */
export type SettledEvent = {
  /** The topic as the event's row gives it. */
  endpoint: string;
  event: number;
  outcome: Outcome;
  /** After so many tries it is given up. */
  tries?: number | null;
  /** What is to be read of it among those given up. */
  why?: string | null;
};

/** Which rows of the inbox are listed. */
export type Show = "all" | "waiting" | "known" | "requests";

/** What takes bytes of the disk. */
export type SpaceRow = {
  bytes: number;
  /** Messages, files or bundles; 0 where nothing is counted. */
  count: number;
  /** What frees some of it, in the words of the door that is asked. */
  frees: string | null;
  /** Of the record, how long it keeps what was said; none for ever. */
  keep_ms?: number | null;
  /** Of the record and of conversations, when the oldest message came or was written that can be purged; none where all of them are on their way, or of an unknown time. */
  oldest_at?: string | null;
  /** The version of the contract. */
  schema: number;
  /** `record`, `files`, `index`, `carried`, `store` (the file that has all but the index), or `conversation`. */
  what: string;
  /** Of a conversation, whom it is with. */
  with?: PersonRow | null;
};

export type Standing = "contact" | "blocked";

/** The highest evidence, in ascending order. */
export type State = "queued" | "copy" | "custody" | "expired" | "cancelled" | "rejected" | "delivered" | "read" | "full";

/** What one span came to. */
export type StatsRow = {
  /** When it ended; none without a clock. */
  at: string | null;
  /** Messages that waited for their recipients at its end: one's own, and those in custody for others. */
  backlog: number;
  /** Bytes that peers sent within it, and that they were sent: handshakes and all, but for the headers of TCP and IP. */
  bytes_in: number;
  bytes_out: number;
  /** Contacts that began within it. */
  contacts: number;
  /** Messages held at its end, copies for others included, and what they count. */
  held: number;
  held_bytes: number;
  /** The version of the contract. */
  schema: number;
  /** How long it was: an hour, or five minutes within the last day. Less where the node was not up for all of it, and in the last row, which ends now. */
  span_secs: number;
  /** What the store took on the disk at its end. */
  store_bytes: number;
};

/** What is known of one's own message. */
export type StatusRow = {
  /** How many more answers of carriers there were. */
  carriers_unlisted: number;
  created_at: string | null;
  /** The number of the draft that it was, and when that was meant to go. */
  draft?: number | null;
  /** In the order in which they became known. Of one carrier only the latest word is here, and of many carriers the first and the last few. */
  events: Event[];
  /** So long after it was read it is forgotten, and the copy here after it was delivered; its words are none then. */
  expire_after_read_ms?: number | null;
  /** When its life ends, as this node's clock reckons. */
  expires_at: string | null;
  /** How many files came along. */
  files: number;
  forward_secrecy: boolean;
  /** Its words and files are somebody else's. */
  forwarded: boolean;
  /** The bundle still lies here and goes on being offered. */
  held_here: boolean;
  id: string;
  meant_at?: string | null;
  /** Of a message to a group, those who were its members as it left; the state is the least of theirs. */
  members?: MemberStateRow[];
  priority: Priority;
  /** The version of the contract. */
  schema: number;
  /** Where it is a change of another message, what it sets; its text says the same. */
  sets?: SetRow[];
  /** The highest evidence. */
  state: State;
  subject: string | null;
  /** The beginning of its words; none where they were not kept. */
  text: string | null;
  /** The name this person gave the destination, or its address. */
  to: string;
  to_address: string;
};

export type StatusSeenBody = {
  event: number;
};

export type StickBringBody = {
  bundles: FromStick[];
};

export type StickTakeBody = {
  ids: string[];
  /** Whom the stick is for: a contact's name, or an address. */
  whom?: string | null;
};

/** A subscription that may mean several topics. */
export type SubscribedRow = {
  owner: PersonRow;
  /** The version of the contract. */
  schema: number;
  topic: string;
};

/** What a message is meant to be. */
export type Tag = "question" | "decision" | "fyi" | "automatic";

/** One row of a conversation. */
export type TalkRow = {
  /** Its author was out of the group when it came, as far as was known here. They say that they wrote it before. */
  after_leaving: boolean;
  /** What is here of the message that it answers. */
  answers: AnswersRow | null;
  archived: boolean;
  /** The address of whom it is with. */
  conversation: string;
  /** It was to be forgotten so long after it was read, and nothing of it is here any more. */
  disappeared: boolean;
  /** Its author has put other words in the place of the first. */
  edited: boolean;
  /** The number with which it came into the record; zero where that is forgotten. */
  event: number;
  /** So long after it was first shown it is forgotten; of one's own message the copy here, after it was delivered. */
  expire_after_read_ms?: number | null;
  /** When that is, once it has begun. */
  expires_at?: string | null;
  files: FileRow[];
  /** Where the words and files come from, if somebody else wrote them, and what the writer of this says of them. */
  forwarded: ForwardedRow | null;
  from: PersonRow;
  /** Of a line of an app's, which of its pages the app opens from there. */
  href?: string | null;
  id: string;
  /** It was brought here by an import, and its signature was not looked at here. */
  imported: boolean;
  in_reply_to: string | null;
  /** Whom it introduces. */
  introduces?: IntroducedRow | null;
  /** What kind of content it is: `text`, `change`, `group`, `app` (a line of an app's), or `unreadable`. */
  kind: string;
  labels: string[];
  /** It came after something that its writer wrote later, and stands in its place. */
  late: boolean;
  /** It is one's own. */
  mine: boolean;
  muted: boolean;
  pinned: boolean;
  priority: Priority;
  reactions: ReactionRow[];
  read: boolean;
  received_at: string | null;
  remark: string | null;
  /** In a conversation, and where something happened: how many are in the thread that began with it, beside itself. Said where there are any. */
  replies?: number;
  reply_by: string | null;
  /** The version of the contract. */
  schema: number;
  sent_at: string | null;
  /** How far ahead of UTC its writer's clock on the wall was, in minutes; none where that is unknown. */
  sent_offset: number | null;
  snoozed_until: string | null;
  /** Of one's own, what became of it. */
  state: State | null;
  subject: string | null;
  /** What its writer means it to be. */
  tags: Tag[];
  /** Where it is a task. */
  task: TaskRow | null;
  text: string | null;
  thread: string | null;
  /** Why it cannot be read. */
  unreadable?: string | null;
  /** Its author asked that it be forgotten, and nothing of it is here any more. */
  withdrawn: boolean;
};

export type TaskRow = {
  assignee: PersonRow | null;
  due: string | null;
  state: TaskWord;
};

export type TaskWord = "open" | "done" | "none" | "again";

/** What is to be said of how long and how much of topics stays; what is absent is left as it is. */
export type TermsWanted = {
  keep_bytes?: number | null;
  keep_ms?: number | null;
  /** As usual again, but for what is said beside. */
  usual?: boolean;
};

export type TopicCreateBody = {
  topic: string;
  /** Who may write beside its owner; as before where none is said. */
  writers?: string[] | null;
};

export type TopicDeleteBody = {
  topic: string;
};

/** A topic of mine that is no more. */
export type TopicEndedRow = {
  /** Until then those who carry something of it may hand it on; none where nobody can have any. */
  carried_until: string | null;
  /** The version of the contract. */
  schema: number;
  topic: string;
};

/** Something published in a topic, as a consumer gets it. */
export type TopicEventRow = {
  /** From 1 on. */
  attempt: number;
  endpoint: string;
  /** Numbered per topic, by this home. */
  event: number;
  from: PersonRow;
  id: string;
  key: string | null;
  /** The version of the contract. */
  schema: number;
  sent_at: string | null;
  text: string;
  topic: string;
};

export type TopicRetryBody = {
  event: string;
  group?: string | null;
  topic: string;
};

export type TopicRow = {
  /** Messages held for whoever is met. */
  carried: number;
  endpoint: string;
  /** Bytes of it that stay here at most, where the person said so. */
  keep_bytes: number | null;
  /** How long after it was published something stays here at most; none to the end of its life. */
  keep_ms: number | null;
  /** The number of the last event; none so far where it is 0. */
  last_event: number;
  owner: PersonRow;
  /** The version of the contract. */
  schema: number;
  standing: TopicStanding;
  /** As it is typed here: a name of mine, or the owner's name, a stroke, and the topic's. */
  topic: string;
  /** Who may write beside the owner, as far as is known here. */
  writers: PersonRow[];
};

export type TopicSetBody = {
  terms: TermsWanted;
  topic: string;
};

export type TopicSettleBody = {
  events: SettledEvent[];
  group: string;
};

/** How a topic stands to this home. */
export type TopicStanding = "mine" | "subscribed" | "around";

export type TopicSubscribeBody = {
  topic: string;
};

/** How long and how much of topics stays at this home. */
export type TopicTermsRow = {
  keep_bytes: number | null;
  keep_ms: number | null;
  /** The version of the contract. */
  schema: number;
  topic: string;
};

export type TopicUnsubscribeBody = {
  topic: string;
};

/** A file that comes or goes in parts. */
export type TransferRow = {
  bytes: number;
  /** `in` or `out`. */
  direction: string;
  /** It is a folder. */
  folder: boolean;
  /** The group that its message was written to, by its name here. */
  group?: string | null;
  /** How much of it is here. */
  have_bytes: number;
  /** And how much of it each of them holds. */
  held: HeldRow[];
  /** Who says to hold parts that are on their way. */
  holders: string[];
  /** The first digits of its message's id, and which of its files it is. */
  id: string;
  /** Of what goes to a group: how far it is with each member. */
  members?: MemberTransferRow[];
  name: string;
  /** Of what goes, how much its recipient or a carrier says to have; of what comes, how much is here. */
  safe_bytes: number;
  /** The version of the contract. */
  schema: number;
  state: TransferState;
  /** Who is in contact and has no room for a part. */
  too_large_for: string[];
  /** The name of who sends or gets it, where it has one here. */
  who: string | null;
  who_address: string;
};

/** How far a file is. */
export type TransferState = "cancelled" | "offered" | "wanted" | "coming" | "here" | "sent";

/** A file that was brought before. */
export type Upload = {
  /** As the answer to its bringing has it. */
  id: string;
  name: string;
};

/** A file that was brought here for a message. */
export type UploadedRow = {
  bytes: number;
  /** What a message names it by, within an hour. */
  id: string;
  name: string;
  /** The version of the contract. */
  schema: number;
};

/** What is usual with a contact; of what is not said here the home's own rules hold. */
export type Usual = {
  /** The spray budget. */
  copies?: number | null;
  /** How long after it was read a message disappears; in a wish, 0 is never. */
  expire_after_read_ms?: number | null;
  /** How long a message may be under way. */
  lifetime_ms?: number | null;
  priority?: Priority | null;
  /** Whether it is told that its messages were read. */
  read_receipts?: boolean | null;
};

export type Verdict = "ok" | "warn" | "bad";

export type VersionRow = {
  name: string;
  /** The version of the contract. */
  schema: number;
  version: string;
};

/** How much waits for this person. */
export type WaitingRow = {
  /** Unread messages of conversations that are muted. */
  muted: number;
  /** Messages of those who have no name here, read or not. */
  requests: number;
  /** The version of the contract. */
  schema: number;
  /** Unread messages, without requests. */
  unread: number;
};

/** A browser that was let in. */
export type WebDeviceRow = {
  /** Whether it is a phone in the local network, and no browser of this machine. */
  lan: boolean;
  /** When it asked for something last, within a few minutes. */
  last_seen: string;
  name: string;
  /** The version of the contract. */
  schema: number;
  /** When it was let in. */
  since: string;
};

/** A way in for one phone in the local network. */
export type WebLanRow = {
  /** What the phone is asked for: six digits. */
  code: string;
  /** Of the certificate that the phone is given, by SHA-256. */
  fingerprint: string;
  /** The page's origin there. */
  page: string;
  /** The version of the contract. */
  schema: number;
  /** To be shown to the phone as a picture; good for one, within fifteen minutes. It leads to the certificate first. */
  url: string;
};

/** A way in for one browser. */
export type WebRow = {
  /** The version of the contract. */
  schema: number;
  /** Opens the page once, within five minutes. Who has it reads and writes as the owner. */
  url: string;
};

/** A bundle that would go on a stick. */
export type WillingRow = {
  bytes: number;
  id: string;
  /** The version of the contract. */
  schema: number;
};

/** What is to be changed of a message; at least one thing. */
export type Wish = {
  /** A name or an address; an empty text for nobody. */
  assignee?: string | null;
  /** Other words; only of one's own. */
  body?: string | null;
  /** It is due at no time any more. */
  clear_due?: boolean;
  due?: string | null;
  id?: string;
  reaction?: WishedReaction | null;
  task?: TaskWord | null;
  /** That it be forgotten; only of one's own. */
  withdrawn?: boolean;
};

export type WishedReaction = {
  emoji: string;
  /** Put there; else taken back. */
  on: boolean;
};

export type WrongCodeRow = {
  /** The version of the contract. */
  schema: number;
  /** So many more end the pairing. */
  tries_left: number;
  /** How many so far. */
  wrong_codes: number;
};

/** Of every route, the fields that it asks for and what it gives. */
export interface Routes {
  /** whether the node does its work; what keeps it from that comes with 503; over loopback without a token `schema` and `ok` alone */
  'GET /health': { asks: Record<never, never>; gives: HealthForSupervisors };
  /** what it counts and holds, as Prometheus reads it */
  'GET /metrics': { asks: Record<never, never>; gives: string };
  /** shared apps, by conversation */
  'GET /v1/apps': { asks: { who?: string }; gives: AppRow[] };
  /** one of the program's own apps begun: checklist, poll or text */
  'POST /v1/apps': { asks: AppBeginBody; gives: SentRow };
  /** one app, with what it takes to run it */
  'GET /v1/apps/{id}': { asks: { id: string }; gives: AppStartRow };
  /** its icon, a PNG or a JPEG */
  'GET /v1/apps/{id}/icon': { asks: { id: string }; gives: unknown };
  /** what its users told each other, behind a serial */
  'GET /v1/apps/{id}/updates': { asks: { id: string; after?: number; json?: boolean }; gives: AppUpdateRow[] };
  /** something to be told to them */
  'POST /v1/apps/{id}/updates': { asks: { id: string } & Partial<AppUpdateBody>; gives: SentRow };
  /** to archive, pin, snooze or mute, or an end to that */
  'POST /v1/arrange': { asks: ArrangeBody; gives: ArrangedRow[] };
  /** that they are back */
  'DELETE /v1/away': { asks: Record<never, never>; gives: Done };
  /** whether the person is away */
  'GET /v1/away': { asks: Record<never, never>; gives: AwayRow };
  /** that they are, until when, and what is said then */
  'PUT /v1/away': { asks: NewAway; gives: AwayRow };
  /** an encrypted copy of this home in a file */
  'POST /v1/backup': { asks: BackupBody; gives: FileRow };
  /** what is carried for others, in sums */
  'GET /v1/carry': { asks: Record<never, never>; gives: CarryRow };
  /** what is held, in the order of eviction */
  'GET /v1/carry/bundles': { asks: Record<never, never>; gives: CarriedRow[] };
  /** an end to carrying it */
  'DELETE /v1/carry/bundles/{id}': { asks: { id: string }; gives: Done };
  /** a bundle as it is */
  'GET /v1/carry/bundles/{id}': { asks: { id: string }; gives: unknown };
  /** another limit */
  'PUT /v1/carry/limit': { asks: CarryLimitBody; gives: CarryRow };
  /** the settings in force, and where each is from */
  'GET /v1/config': { asks: Record<never, never>; gives: ConfigRow[] };
  /** all contacts, by name */
  'GET /v1/contacts': { asks: Record<never, never>; gives: ContactRow[] };
  /** a new contact */
  'POST /v1/contacts': { asks: Introduction; gives: ContactRow };
  /** an end to it */
  'DELETE /v1/contacts/{who}': { asks: { who: string }; gives: Done };
  /** one contact, with the words to compare */
  'GET /v1/contacts/{who}': { asks: { who: string }; gives: ContactRow };
  /** to hear no more of it */
  'POST /v1/contacts/{who}/block': { asks: { who: string }; gives: ContactRow };
  /** another name */
  'POST /v1/contacts/{who}/rename': { asks: { who: string } & ContactRenameBody; gives: ContactRow };
  /** it introduced to another */
  'POST /v1/contacts/{who}/share': { asks: { who: string } & ContactShareBody; gives: SentRow };
  /** to hear of it again */
  'POST /v1/contacts/{who}/unblock': { asks: { who: string }; gives: ContactRow };
  /** how messages to it go, where nothing else is said */
  'POST /v1/contacts/{who}/usual': { asks: { who: string } & Partial<ContactSetBody>; gives: ContactRow };
  /** whether the words were the same */
  'POST /v1/contacts/{who}/verify': { asks: { who: string } & ContactVerifyBody; gives: ContactRow };
  /** changes that gave way to others and were not told of yet */
  'POST /v1/crossings': { asks: Partial<CrossingsBody>; gives: CrossingRow[] };
  /** what is wrong here, and what to do */
  'GET /v1/doctor': { asks: Record<never, never>; gives: CheckRow[] };
  /** the index of words, made anew from the record */
  'POST /v1/doctor/reindex': { asks: Record<never, never>; gives: CheckRow[] };
  /** the node's end */
  'POST /v1/down': { asks: Record<never, never>; gives: Done };
  /** what was written and not sent */
  'GET /v1/drafts': { asks: Record<never, never>; gives: DraftRow[] };
  /** a draft, or a message that goes at a time */
  'POST /v1/drafts': { asks: NewDraft; gives: DraftRow };
  /** its end, unsent */
  'DELETE /v1/drafts/{number}': { asks: { number: string }; gives: Done };
  /** one draft, with all its words */
  'GET /v1/drafts/{number}': { asks: { number: string }; gives: DraftRow };
  /** it to be sent now */
  'POST /v1/drafts/{number}/send': { asks: { number: string } & Partial<DraftSendBody>; gives: SentRow[] };
  /** what happened to the record behind a number, and then what happens; with `beside=true` also that something beside it is to be asked for anew */
  'GET /v1/events': { asks: { beside?: boolean; since?: number; who?: string }; gives: unknown };
  /** files that come or go in parts */
  'GET /v1/files': { asks: Record<never, never>; gives: TransferRow[] };
  /** a file to be brought for a message, which names it in `uploads` */
  'POST /v1/files': { asks: { name: string }; gives: UploadedRow };
  /** an end to its coming or going */
  'POST /v1/files/{id}/cancel': { asks: { id: string }; gives: TransferRow };
  /** the bytes of a file that is here, or a `Range` of them */
  'GET /v1/files/{id}/content': { asks: { id: string }; gives: unknown };
  /** a file that was offered, or what is missing of it */
  'POST /v1/files/{id}/get': { asks: { id: string } & Partial<FileGetBody>; gives: TransferRow };
  /** it to be saved in a directory */
  'POST /v1/files/{id}/save': { asks: { id: string } & FileSaveBody; gives: FileRow };
  /** groups of mine, and those I am asked to join */
  'GET /v1/groups': { asks: Record<never, never>; gives: GroupRow[] };
  /** a new group, and its first members invited */
  'POST /v1/groups': { asks: GroupCreateBody; gives: GroupRow };
  /** others asked to join */
  'POST /v1/groups/{group}/invite': { asks: { group: string } & GroupInviteBody; gives: GroupRow };
  /** to be in it */
  'POST /v1/groups/{group}/join': { asks: { group: string }; gives: GroupRow };
  /** to be in it no more */
  'POST /v1/groups/{group}/leave': { asks: { group: string }; gives: Done };
  /** who is in it */
  'GET /v1/groups/{group}/members': { asks: { group: string }; gives: MemberRow[] };
  /** a member as an owner, or no longer */
  'POST /v1/groups/{group}/owner': { asks: { group: string } & GroupOwnerBody; gives: MemberRow[] };
  /** a member out of it */
  'POST /v1/groups/{group}/remove': { asks: { group: string } & GroupRemoveBody; gives: MemberRow[] };
  /** another name, for all members */
  'POST /v1/groups/{group}/rename': { asks: { group: string } & GroupRenameBody; gives: GroupRow };
  /** the same with 200 whatever it is: that it runs */
  'GET /v1/health': { asks: Record<never, never>; gives: HealthRow };
  /** messages that hooks gave up */
  'GET /v1/hook-failures': { asks: { name?: string }; gives: HookFailedRow[] };
  /** that it is worked on again */
  'POST /v1/hook-failures/{id}/retry': { asks: { id: string } & Partial<HookRetryBody>; gives: Done };
  /** programs that work on what comes */
  'GET /v1/hooks': { asks: Record<never, never>; gives: HookRow[] };
  /** a new one */
  'POST /v1/hooks': { asks: NewHook; gives: HookRow };
  /** its end */
  'DELETE /v1/hooks/{name}': { asks: { name: string }; gives: Done };
  /** it run now, and what it came to */
  'POST /v1/hooks/{name}/test': { asks: { name: string } & Partial<HookTestBody>; gives: HookTestedRow };
  /** messages of an earlier home taken in, as its export has them */
  'POST /v1/import': { asks: Imports; gives: ImportedRow };
  /** the inbox; with a limit its last rows, of each text the first characters */
  'GET /v1/inbox': { asks: { limit?: number; show?: Show; text_chars?: number; unread?: boolean }; gives: InboxRow[] };
  /** how much waits */
  'GET /v1/inbox/count': { asks: Record<never, never>; gives: WaitingRow };
  /** what asks for an answer by some time, the soonest first */
  'GET /v1/inbox/due': { asks: { limit?: number; show?: Show; text_chars?: number }; gives: InboxRow[] };
  /** new rows as they come, without end */
  'GET /v1/inbox/follow': { asks: { all?: boolean }; gives: unknown };
  /** that messages were read, or are unread again */
  'POST /v1/inbox/mark': { asks: MarkBody; gives: Done };
  /** its deletion */
  'DELETE /v1/inbox/{id}': { asks: { id: string }; gives: Done };
  /** other words, its end, a reaction, a task's fields */
  'POST /v1/inbox/{id}/change': { asks: { id: string } & Partial<ChangeBody>; gives: SentRow };
  /** every change of a message */
  'GET /v1/inbox/{id}/history': { asks: { id: string }; gives: HistoryRow[] };
  /** one message, with its files */
  'POST /v1/inbox/{id}/read': { asks: { id: string } & Partial<ReadBody>; gives: LetterRow };
  /** all labels */
  'GET /v1/labels': { asks: Record<never, never>; gives: LabelRow[] };
  /** the messages with a label */
  'GET /v1/labels/{label}': { asks: { label: string }; gives: TalkRow[] };
  /** a label on messages, or its end there */
  'POST /v1/labels/{label}': { asks: { label: string } & LabelBody; gives: Done };
  /** who the node is */
  'GET /v1/me': { asks: Record<never, never>; gives: MeRow };
  /** who could be met */
  'GET /v1/nearby': { asks: Record<never, never>; gives: NearbyRow[] };
  /** all of these routes, as OpenAPI 3.1 */
  'GET /v1/openapi.json': { asks: Record<never, never>; gives: unknown };
  /** whether anybody is met, what waits, and what ended unseen */
  'GET /v1/outlook': { asks: Record<never, never>; gives: OutlookRow };
  /** an end to the pairing that goes on */
  'DELETE /v1/pair': { asks: Record<never, never>; gives: Done };
  /** a code to be shown, and how the pairing goes, until its end or the reader's */
  'POST /v1/pair': { asks: Partial<FollowPairBody>; gives: unknown };
  /** to pair with whoever shows a code */
  'POST /v1/pair/join': { asks: PairJoinBody; gives: ContactRow };
  /** who is met */
  'GET /v1/peers': { asks: Record<never, never>; gives: PeerRow[] };
  /** that old messages or large files go */
  'POST /v1/purge': { asks: Partial<Purge>; gives: PurgedRow };
  /** whom a message would go to */
  'GET /v1/recipients/{who}': { asks: { who: string }; gives: RecipientRow };
  /** the whole record, with all that is known of each message */
  'GET /v1/record': { asks: { who?: string }; gives: KeptRow[] };
  /** what a query finds in all conversations, the best first */
  'GET /v1/search': { asks: { limit?: number; q: string }; gives: SearchRow[] };
  /** a message to be sent */
  'POST /v1/send': { asks: Compose; gives: SentRow };
  /** what takes how much of the disk */
  'GET /v1/space': { asks: Record<never, never>; gives: SpaceRow[] };
  /** what was met, moved and held over time, the oldest first */
  'GET /v1/stats': { asks: Record<never, never>; gives: StatsRow[] };
  /** what became of one's messages, oldest first; with a limit the last */
  'GET /v1/status': { asks: { limit?: number; to?: string; unsettled?: boolean }; gives: StatusRow[] };
  /** new evidence as it comes, without end */
  'GET /v1/status/follow': { asks: { id?: string }; gives: unknown };
  /** that the person looked, up to an event */
  'POST /v1/status/seen': { asks: StatusSeenBody; gives: Done };
  /** what became of one message */
  'GET /v1/status/{id}': { asks: { id: string }; gives: StatusRow[] };
  /** no new copies of it */
  'POST /v1/status/{id}/cancel': { asks: { id: string }; gives: StatusRow[] };
  /** new evidence of one message, without end */
  'GET /v1/status/{id}/follow': { asks: { id: string }; gives: unknown };
  /** the same message anew */
  'POST /v1/status/{id}/renew': { asks: { id: string } & Partial<RenewBody>; gives: SentRow };
  /** what would go on a stick, what goes first first */
  'GET /v1/stick': { asks: { whom?: string }; gives: WillingRow[] };
  /** that bundles of a stick be taken in */
  'POST /v1/stick/bring': { asks: StickBringBody; gives: EnteredRow[] };
  /** bundles to be written to a stick */
  'POST /v1/stick/take': { asks: StickTakeBody; gives: LeavingRow[] };
  /** conversations, pinned ones first, then the newest */
  'GET /v1/talk': { asks: { all?: boolean }; gives: ConversationRow[] };
  /** both sides of one, as they are read */
  'GET /v1/talk/{who}': { asks: { who: string; after?: string; before?: string; from_unread?: number; glance?: boolean; limit?: number; thread?: string; unread?: boolean }; gives: TalkRow[] };
  /** messages that are tasks */
  'GET /v1/tasks': { asks: { all?: boolean; mine?: boolean }; gives: BoardRow[] };
  /** topics of mine, subscribed to, and around */
  'GET /v1/topics': { asks: Record<never, never>; gives: TopicRow[] };
  /** a new topic, or other writers in one */
  'POST /v1/topics': { asks: TopicCreateBody; gives: TopicRow };
  /** an end to a topic of mine */
  'POST /v1/topics/delete': { asks: TopicDeleteBody; gives: TopicEndedRow };
  /** what is here of a topic; of it the last */
  'GET /v1/topics/events': { asks: { before?: number; limit?: number; topic: string }; gives: TopicEventRow[] };
  /** what a group gave up */
  'GET /v1/topics/failed': { asks: { group?: string; topic: string }; gives: FailedRow[] };
  /** events for one consumer of a group */
  'GET /v1/topics/follow': { asks: { follow?: boolean; from?: string; group?: string; topic: string; window?: number }; gives: unknown };
  /** messages to be published */
  'POST /v1/topics/publish': { asks: PublishBody; gives: PublishedRow[] };
  /** that it is handed out again */
  'POST /v1/topics/retry': { asks: TopicRetryBody; gives: Done };
  /** how long and how much of a topic stays here */
  'POST /v1/topics/set': { asks: TopicSetBody; gives: TopicTermsRow };
  /** that a consumer is done with events, or is not */
  'POST /v1/topics/settle': { asks: TopicSettleBody; gives: Done };
  /** what is published in topics of somebody */
  'POST /v1/topics/subscribe': { asks: TopicSubscribeBody; gives: SubscribedRow };
  /** an end to that */
  'POST /v1/topics/unsubscribe': { asks: TopicUnsubscribeBody; gives: Done };
  /** the program's version */
  'GET /v1/version': { asks: Record<never, never>; gives: VersionRow };
  /** a link that lets one browser in, once */
  'POST /v1/web': { asks: Record<never, never>; gives: WebRow };
  /** browsers that were let in */
  'GET /v1/web/devices': { asks: Record<never, never>; gives: WebDeviceRow[] };
  /** one of them let in no more */
  'DELETE /v1/web/devices/{name}': { asks: { name: string }; gives: Done };
  /** an end to the page in the local network */
  'DELETE /v1/web/lan': { asks: Record<never, never>; gives: Done };
  /** a link that makes a phone in the local network the owner's, once */
  'POST /v1/web/lan': { asks: Record<never, never>; gives: WebLanRow };
}

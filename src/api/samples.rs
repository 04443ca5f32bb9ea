//! Rows of a small story, for tests: alice writes to bob by way of carol.

use super::model::*;
use crate::bundle::Priority;

pub const BOB: &str = "12D3KooWBob1111111111111111111111111111111111111bob1";
pub const CAROL: &str = "12D3KooWCar1111111111111111111111111111111111111car1";
pub const ID: &str = "3f2a91c0de3f2a91c0de3f2a91c0de3f2a91c0de3f2a91c0de3f2a91c0de3f2a";

/// 2026-03-01 at an hour and minute, UTC.
pub fn at(hour: i64, minute: i64) -> Option<When> {
    Some(When(1_772_323_200_000 + (hour * 60 + minute) * 60_000))
}

pub fn me() -> MeRow {
    MeRow {
        schema: Schema,
        name: "alice".into(),
        peer_id: CAROL.into(),
        address: format!("dak:{CAROL}"),
        listen: vec!["/ip4/127.0.0.1/tcp/4001".into()],
        safety_words: "acid acorn acre".into(),
    }
}

pub fn contact() -> ContactRow {
    ContactRow {
        schema: Schema,
        name: "bob".into(),
        peer_id: BOB.into(),
        address: format!("dak:{BOB}"),
        standing: Standing::Contact,
        verified: true,
        safety_words: "zebra zero zone".into(),
        my_safety_words: "acid acorn acre".into(),
        introduced_by: None,
        usual: Usual::default(),
        renamed_from: None,
    }
}

pub fn shown_code() -> CodeRow {
    CodeRow {
        schema: Schema,
        code: "7-copper-lantern".into(),
        uri: "dak:pair?code=7-copper-lantern&at=/ip4/192.168.100.200/tcp/33556".into(),
        expires_at: at(12, 10),
    }
}

pub fn inbox(text: &str) -> InboxRow {
    InboxRow {
        sent_at: at(11, 2),
        received_at: at(12, 30),
        via: Some("carol".into()),
        ..InboxRow::text(ID.into(), "bob".into(), format!("dak:{BOB}"), text.into())
    }
}

pub fn hook() -> HookRow {
    HookRow {
        schema: Schema,
        name: "log".into(),
        cmd: vec!["/bin/cat".into(), "a b".into()],
        shell: false,
        from: Some("bob".into()),
        within: None,
        label: None,
        query: Some("pump".into()),
        reply: true,
        every_ms: 86_400_000,
        timeout_ms: 60_000,
        tries: 5,
        at_once: 1,
        added_at: at(11, 0),
        running: 1,
        waiting: 2,
        failed: 3,
    }
}

pub fn away() -> AwayRow {
    AwayRow {
        schema: Schema,
        away: true,
        text: Some("at sea".into()),
        since: at(11, 0),
        until: at(18, 0),
        reply: true,
        every_ms: Some(86_400_000),
    }
}

pub fn hook_failed() -> HookFailedRow {
    HookFailedRow {
        schema: Schema,
        hook: "log".into(),
        id: ID.into(),
        event: 7,
        attempt: 5,
        failed_at: at(12, 30),
        why: "/bin/cat ended with exit status: 1".into(),
        from: Some("bob".into()),
        text: Some("come at six".into()),
    }
}

pub fn hook_tested() -> HookTestedRow {
    HookTestedRow {
        schema: Schema,
        hook: "log".into(),
        id: Some(ID.into()),
        matches: true,
        outcome: Outcome::Done,
        why: None,
        took_ms: 12,
        stdout: "hi\n\u{1b}[31m".into(),
        stderr: String::new(),
    }
}

pub fn recipient() -> RecipientRow {
    RecipientRow { schema: Schema, to: "bob".into(), to_address: format!("dak:{BOB}") }
}

pub fn sent() -> SentRow {
    let RecipientRow { schema, to, to_address } = recipient();
    SentRow { schema, id: ID.into(), state: State::Queued, to, to_address, expire_after_read_ms: None }
}

pub fn conversation() -> ConversationRow {
    ConversationRow {
        schema: Schema,
        conversation: format!("dak:{BOB}"),
        name: Some("bob".into()),
        unread: 2,
        last_at: at(11, 2),
        last_text: Some("come at six".into()),
        last_mine: false,
        waiting: 2,
        request: false,
        nickname: None,
        arranged: ArrangedTalk::default(),
    }
}

/// What a row answers.
pub fn answered() -> AnswersRow {
    AnswersRow {
        id: ID.into(),
        there: Parent::Here,
        from: Some(PersonRow { name: Some("bob".into()), address: format!("dak:{BOB}") }),
        mine: false,
        text: Some("come at six?".into()),
    }
}

/// Where words come from that bob forwards.
pub fn forwarded() -> ForwardedRow {
    let author = PersonRow { name: Some("carol".into()), address: format!("dak:{CAROL}") };
    ForwardedRow { author, id: ID[..32].into(), sent_at: at(9, 30), signed: false }
}

pub fn draft() -> DraftRow {
    DraftRow {
        schema: Schema,
        number: 3,
        to: vec!["bob".into()],
        at: at(18, 0),
        made_at: at(11, 0),
        text: "come at six".into(),
        subject: None,
        attachments: Vec::new(),
        in_reply_to: None,
        thread: None,
        priority: Priority::Normal,
        lifetime_ms: None,
        expire_after_read_ms: None,
        reply_by: None,
        refused: None,
    }
}

pub fn arranged() -> ArrangedRow {
    let arranged = ArrangedTalk { pinned: true, snoozed_until: at(18, 0), ..ArrangedTalk::default() };
    let conversation = format!("dak:{BOB}");
    ArrangedRow { schema: Schema, id: None, conversation, name: Some("bob".into()), arranged }
}

/// A row of a conversation.
pub fn said(text: &str) -> TalkRow {
    TalkRow {
        schema: Schema,
        expire_after_read_ms: None,
        expires_at: None,
        id: ID.into(),
        conversation: format!("dak:{BOB}"),
        from: PersonRow { name: Some("bob".into()), address: format!("dak:{BOB}") },
        mine: false,
        kind: "text".into(),
        href: None,
        text: Some(text.into()),
        subject: None,
        thread: None,
        in_reply_to: None,
        answers: None,
        sent_at: at(11, 2),
        sent_offset: None,
        received_at: at(12, 30),
        late: false,
        files: Vec::new(),
        forwarded: None,
        remark: None,
        priority: Priority::Normal,
        tags: Vec::new(),
        reply_by: None,
        state: None,
        read: true,
        unreadable: None,
        event: 7,
        replies: 0,
        changes: Changes::default(),
        introduces: None,
        arranged: Arranged::default(),
    }
}

/// A row that a search found.
pub fn found(text: &str) -> SearchRow {
    SearchRow { row: said(text), conversation_name: Some("bob".into()), score: 7_312 }
}

pub fn status(events: Vec<Event>) -> StatusRow {
    StatusRow {
        schema: Schema,
        expire_after_read_ms: None,
        id: ID.into(),
        to: "bob".into(),
        to_address: format!("dak:{BOB}"),
        state: State::of(&events),
        events,
        carriers_unlisted: 0,
        priority: Priority::Normal,
        created_at: at(11, 0),
        expires_at: at(35, 0),
        draft: None,
        meant_at: None,
        held_here: true,
        forward_secrecy: false,
        text: Some("come at six".into()),
        subject: None,
        files: 0,
        forwarded: false,
        members: Vec::new(),
        sets: Vec::new(),
    }
}

pub fn crossing() -> CrossingRow {
    let change = |id: &str, who: &str, what: &str, stands| HistoryRow {
        schema: Schema,
        id: id.into(),
        who: PersonRow { name: Some(who.into()), address: format!("dak:{BOB}") },
        at: at(11, 2),
        field: "due".into(),
        what: what.into(),
        stands,
        gave_way: !stands,
    };
    let gave_way = change("aa", "bob", "2026-03-01T17:00:00Z", false);
    CrossingRow { schema: Schema, id: ID.into(), gave_way, stands: change("bb", "carol", "2026-03-01T18:00:00Z", true) }
}

pub fn told_in_app(serial: u64) -> AppUpdateRow {
    AppUpdateRow {
        schema: Schema,
        id: ID.into(),
        serial,
        max_serial: serial,
        payload: serde_json::json!({ "vote": serial }),
        info: Some("bob voted".into()),
        document: None,
        summary: None,
        href: None,
        notify: Default::default(),
        from: PersonRow { name: Some("bob".into()), address: format!("dak:{BOB}") },
        mine: false,
        at: at(11, 2),
    }
}

pub fn outlook() -> OutlookRow {
    OutlookRow {
        schema: Schema,
        met_now: 0,
        last_met_at: at(9, 0),
        waiting: 3,
        first_end_at: at(5 * 24 + 11, 0),
        ended: 0,
        due: 0,
        first_due_at: None,
        overdue: 0,
        event: 7,
    }
}

pub fn event(what: EventKind, when: Option<When>, who: Option<&str>) -> Event {
    Event { at: when, what, who: who.map(str::to_owned), who_address: None, reason: None, retry_at: None }
}

pub fn carried() -> CarriedRow {
    CarriedRow {
        schema: Schema,
        id: ID.into(),
        kind: "message".into(),
        from: "alice".into(),
        from_address: format!("dak:{CAROL}"),
        to: "bob".into(),
        to_address: format!("dak:{BOB}"),
        class: Class::Contacts,
        grade: Grade::Custody,
        priority: Priority::Urgent,
        bytes: 1_500,
        accepted_at: at(11, 2),
        expires_at: at(35, 0),
        copies: 4,
        via: Some("carol".into()),
    }
}

pub fn entered() -> EnteredRow {
    let why = Some("there is no room for it here".into());
    EnteredRow { schema: Schema, id: Some(ID.into()), fate: Fate::Refused, why, may_come_again: true }
}

pub fn carry() -> CarryRow {
    CarryRow {
        schema: Schema,
        bundles: 3,
        receipts: 1,
        bytes: 4_700,
        quota_bytes: 268_435_456,
        file_bytes: 1_048_576,
        by_class: Classes {
            own: Counts { bundles: 1, bytes: 1_500 },
            contacts: Counts { bundles: 2, bytes: 3_000 },
            strangers: Counts { bundles: 1, bytes: 200 },
            topics: Counts::default(),
        },
        by_grade: Grades {
            custody: Counts { bundles: 2, bytes: 3_000 },
            copy: Counts { bundles: 1, bytes: 1_500 },
            released: Counts { bundles: 1, bytes: 200 },
        },
        evicted: Evicted { released: 2, copy: 1, custody: 0 },
        refused: 5,
    }
}

pub fn peer() -> PeerRow {
    PeerRow {
        schema: Schema,
        peer_id: CAROL.into(),
        name: Some("carol".into()),
        nickname: None,
        address: "/ip4/127.0.0.1/tcp/4001".into(),
        since: at(11, 1),
        sent_bundles: 1,
        received_bundles: 0,
    }
}

pub fn nearby() -> NearbyRow {
    NearbyRow {
        schema: Schema,
        name: None,
        nickname: Some("dave".into()),
        peer_id: BOB.into(),
        address: "/ip4/192.0.2.7/tcp/4001".into(),
        seen_at: at(12, 0),
        seen_ago_ms: 42_000,
        connected: false,
    }
}

pub fn transfer() -> TransferRow {
    TransferRow {
        schema: Schema,
        id: "3f2a91c0de/1".into(),
        name: "sur\u{1b}[2Jvey.tar".into(),
        bytes: 3 << 20,
        have_bytes: 1 << 20,
        safe_bytes: 1 << 20,
        direction: "in".into(),
        who: Some("bob".into()),
        who_address: format!("dak:{BOB}"),
        folder: false,
        state: TransferState::Coming,
        holders: vec!["carol".into()],
        held: vec![HeldRow { name: "carol".into(), bytes: 1 << 19 }],
        too_large_for: vec!["dave".into()],
        group: None,
        members: vec![MemberTransferRow {
            name: Some("erin".into()),
            address: format!("dak:{BOB}"),
            safe_bytes: 3 << 18,
            state: TransferState::Coming,
        }],
    }
}

pub fn stats() -> StatsRow {
    StatsRow {
        schema: Schema,
        at: at(12, 0),
        span_secs: 300,
        contacts: 2,
        backlog: 3,
        bytes_in: 2_048,
        bytes_out: 1_024,
        held: 5,
        held_bytes: 4_096,
        store_bytes: 1 << 20,
    }
}

pub fn browser() -> WebDeviceRow {
    let [since, last_seen] = [9, 11].map(|hour| at(hour, 0).expect("there is a clock"));
    WebDeviceRow { schema: Schema, name: "Firefox on Linux".into(), since, last_seen, lan: true }
}

pub fn phone() -> WebLanRow {
    WebLanRow {
        schema: Schema,
        url: "http://dak-a.local:1/start#b".into(),
        code: "012345".into(),
        page: "https://dak-a.local:1".into(),
        fingerprint: "00:FF".into(),
    }
}

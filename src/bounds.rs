//! Every place that peers or time can fill: how much it takes, whose it is, who gives way, and when an entry ends.
//!
//! Keys cost nothing and hosts little, so a place without a bound is memory for the asking, and one without shares belongs
//! to the first who floods it. So each has a named bound, and where strangers fill it, one of four rules:
//!
//! - *shares*: it is shared by the peer that hands over and by source (`agent/place.rs`), or by host. The largest share
//!   gives way first, among shares alike the lot decides, and what concerns named people goes last.
//! - *lot*: any entry gives way, drawn by lot: a flood displaces itself in proportion.
//! - *oldest*, *least*: the one that matters least gives way, for what is lost costs traffic and no mail.
//! - *refused*: what is new is turned away, or the contact that overfills it ends: the place belongs to one peer alone, or
//!   its entries were promised to last.
//!
//! The tests that flood a place stand in its row; a test of the house holds this table against the constants.
//!
//! # The agent, durable
//!
//! | bound | what | shared by | gives way | an entry ends | flood |
//! |---|---|---|---|---|---|
//! | `agent/config.rs` `carry_bytes_max` | bundles carried for others | class; named people and peers, source | released copies, then shares; promises to their class never | life, receipt | `a_peer_that_filled_the_room_of_strangers_makes_way_for_the_fair_share_of_another`, `hundreds_of_fresh_identities_leave_a_modest_stranger_most_of_its_own_and_a_newcomer_gets_in`, `a_source_that_many_hand_over_takes_no_more_than_the_share_of_a_source`, `a_contact_that_floods_leaves_others_who_were_named_and_strangers_their_shares` |
//! | `agent/config.rs` `topics_share` | of these, for topics | topic, in it writer; peer | the fullest of them, the oldest first; all of it to mail | life | `a_topic_that_is_flooded_displaces_its_own_and_topics_in_thousands_each_other`, `mail_comes_before_topics_where_room_is_short` |
//! | `agent/config.rs` `own_topic_bytes_max` | what is published here, of one topic | owner | oldest | life | `of_what_is_published_here_a_bounded_part_stays` |
//! | `agent/config.rs` `receipts_unmatched_max` | receipts that freed nothing here | peer, signer | shares | life of the receipt | `throwaway_receipts_displace_each_other_and_not_those_of_others` |
//! | `agent/config.rs` `receipts_own_max` | own receipts for strangers | peer, source | refused, with their mail | life of the receipt | `one_stranger_causes_a_part_of_the_own_receipts_also_where_its_mail_is_deleted` |
//! | `agent/config.rs` `contact_mail_bytes_max` | mail of people named in the inbox | source | refused | the person deletes it | `a_contact_fills_a_part_of_the_mailbox_and_the_next_still_delivers` |
//! | `agent/config.rs` `stranger_mail_bytes_max` | strangers' mail in the inbox | peer, source | refused | the person deletes it | `one_stranger_fills_a_part_of_the_mailbox_and_the_next_still_delivers` |
//! | `agent/tombstones.rs` `BELIEFS_MAX` 65,536 | words of receipts on ids not held | peer, signer | shares | life of the receipt | `words_on_invented_bundles_displace_each_other_and_not_those_of_others` |
//! | `agent/tombstones.rs` `TOMBSTONES_MAX` 1,000,000 | ids that are over | peer, until a restart | of some drawn by lot, one of the peer that brought most | an hour after the signed lifetime | `a_flood_of_tombstones_that_one_peer_brings_displaces_its_own`, `a_flood_of_tombstones_that_many_bring_displaces_itself_in_proportion` |
//! | `agent/departed.rs` `DEPARTED_MAX` 65,536 | when bundles came first that left | peer, source | shares | two lifetimes and an hour after that | `what_died_of_its_age_and_left_displaces_its_own_memory_and_not_that_of_others` |
//! | `agent/ledger.rs` `OWED_MAX` 65,536 | evictions that previous hops have to hear of | peer | shares | the peer says it heard | `what_one_peer_is_owed_displaces_nothing_that_others_are` |
//! | `agent/change/outgoing.rs` `EVENTS_MAX` | evidence on one's own message | carrier | folded; own and the recipient's word never | with the record | `floods_of_custody_signals_and_give_ups_leave_a_bounded_record_that_still_takes_the_receipt` |
//! | `frame.rs` `ROUTING_ENTRIES_MAX` 4,096 | nodes that the strategy knows of | teller | the lowest rates; own meetings last | outrated | `what_peers_tell_is_bounded_however_many_they_are`, `a_table_is_bounded_whatever_peers_claim` |
//!
//! Of tombstones, words, departures and evictions each table takes one entry for 256 bytes that are carried
//! (`Config::memories_max`), 4,096 in any case and the bound above at most, so that the file of a small carrier stays small.
//! Where less is carried from now on, what is over that leaves by the same rule. A replay of what nothing here remembers any
//! more costs traffic and a place for a life at most: it is shown to nobody a second time, and its recipient ends it again.
//!
//! The ids of what was delivered stay for ever, in the store alone: 16 bytes for each letter that a person was shown, and
//! as many in the index; and of what the person deleted the digest of its words, 16 bytes too. One's own messages and the
//! people named are the owner's, bounded by the disk alone, whose last part `free_bytes_own_min` keeps free.
//!
//! # The agent, until a restart
//!
//! | bound | what | shared by | gives way | an entry ends | flood |
//! |---|---|---|---|---|---|
//! | `agent/flights.rs` `UNSETTLED_MAX` 65,536 | flights of broken contacts | peer | shares | at the next contact with the peer | `flights_to_one_peer_displace_none_to_others` |
//! | `agent/flights.rs` `SPENT_MAX` 65,536 | who was given spray copies of what | peer | shares | with the bundle's custody | `copies_given_to_one_peer_displace_no_memory_of_others` |
//! | `agent/shunned.rs` `SHUNNED_MAX` 65,536 | what was evicted here, with its group, and elsewhere | all | oldest | `Config::shun` | `the_latest_are_remembered_and_the_oldest_make_way` |
//! | `agent/graces.rs` `GRACES_MAX` 16,384 | bundles that their destinations in contact get alone | all | none: past it bundles go to everybody at once | accepted, refused, contact, half a minute | `past_the_bound_nothing_is_kept_for_its_destination` |
//! | `agent/proofs.rs` `HOLDERS_MAX` 16,384 | who holds copies of what is held here, wants which receipt, signed for what never came | peer, source | shares | the receipt, displaced | `a_peer_or_a_source_that_floods_displaces_what_it_caused_itself` |
//! | `agent/proofs.rs` `PROVEN_MAX` 65,536 | messages with the receipts for them | peer, signer | shares | displaced | `a_peer_or_a_source_that_floods_displaces_what_it_caused_itself` |
//! | `agent/offers.rs` `ASKED_MAX` 16,384 | ids that peers were asked for | all | none: past it ids are asked for without memory | patience is over, it comes | `floods_of_offers_are_answered_in_bounded_memory_and_honest_offers_still_work` |
//! | `agent/offers.rs` `OFFERERS_MAX` 16 | who else offered one id | peer | those who stalled most, by lot; named last | with the id | `a_crowd_that_offers_and_stalls_hides_no_offer_of_a_named_person`, `a_crowd_that_offers_and_stalls_hides_few_offers_of_a_stranger` |
//! | `agent/offers.rs` `STALLERS_MAX` 1,024 | peers that were asked in vain | peer | least | made good | `a_crowd_that_stalls_once_does_not_hide_who_stalls_always` |
//! | `agent/drafts.rs` `UNSEALED_MAX` 1,024 | the owner's drafts that wait for their seal | owner | refused | sealed, ten minutes | |
//! | `agent/contact.rs` `OFFERS_MAX` 16,384 | ids to offer in one batch | contact | the rest is queued | end of the batch | `two_that_serve_one_mailbox_get_all_of_a_store_that_is_longer_than_their_queues` |
//! | `agent/contact.rs` `QUEUED_MAX` 4,096 | bundles queued for one peer | contact | the last in order waits as one bit | sent, contact | `past_its_bound_a_queue_keeps_what_goes_first_and_the_rest_waits_in_the_backlog` |
//! | `agent/contact.rs` `RETRIES_MAX` 4,096 | refused bundles for another try | contact | refused | tried, contact | |
//! | `agent/contact.rs` `WITHOUT_ROOM_MAX` 1,024 | mail that found no room, to be asked for when there is some | contact | refused | asked for, contact | |
//! | `agent/forward.rs` `PROPOSED_MAX` 1,024 | bundles proposed in one go | contact | the rest waits for the next turn | at once | |
//! | `agent/lives.rs` `LIVES_TOLD_MAX` 1,024 | lives told in one go | contact | lot | at once | |
//! | `agent/expiry.rs` `ENDS_MAX` 1,024 | lives that end in one step | all | the rest stays due | at once | `thousands_of_lives_that_end_at_once_end_in_bounded_steps` |
//! | `mail/topics.rs` `TOPIC_KEPT_BYTES_MAX` | events kept of one topic that is subscribed to, 256 bytes each beside their texts | writer | oldest | its life; with the subscription | `a_flood_leaves_a_bounded_topic_and_nothing_that_left_comes_again` |
//! | `mail/topics/shared.rs` `SHARED_BYTES_MAX` | the same of all topics of an owner that a pattern alone means | owner; topic | the fullest of them, the oldest first | as above | `an_owner_who_names_topics_without_end_fills_a_bounded_room` |
//! | `mail/topics/shared.rs` `SHARED_TOPICS_MAX` 4,096 | those topics, and their consumers | owner | the one that was silent longest | as above | `an_owner_who_names_topics_without_end_fills_a_bounded_room`, `an_owner_who_names_topics_without_end_fills_a_bounded_part_of_who_hears_all_of_them` |
//! | `mail/topics.rs` `SUBSCRIPTIONS_MAX` 256 | subscriptions | owner | refused | ended | |
//! | `mail/topics.rs` `TERMS_MAX` 256 | topics, and patterns, with terms of their own | owner | refused | as usual again | |
//! | `mail/topics/rows.rs` `FLOORS_MAX` | writers of a topic whose oldest messages left | all | the least known | with the subscription | |
//! | `mail/topics/group.rs` `OPEN_MAX` 1,024 | events of a group between the first not done and the last handed out | group | no more are handed out | done | `one_that_is_done_with_nothing_gets_a_bounded_number` |
//! | `mail/topics/group.rs` `DEAD_MAX` 1,024 | events that a group gave up | group | oldest | done after all | |
//! | `mail/apps/bounds.rs` `UPDATES_MAX` 16,384 | updates of an app, written; twice as many are heard | all | refused: it is read-only; past twice as many, an even share of each author is heard | deleted with its message | `all_together_are_heard_up_to_twice_what_is_written` |
//! | `mail/apps/bounds.rs` `UPDATES_BYTES_MAX` | bytes of these | all | refused: it is read-only | deleted with its message | `all_together_are_heard_up_to_twice_what_is_written` |
//! | `mail/apps/bounds.rs` `AUTHOR_UPDATES_MAX` 4,096 | of these, by one author | author | refused here; of others those of the highest ids are not heard | deleted with its message | `an_author_who_floods_is_heard_up_to_a_bound_and_makes_it_read_only_for_nobody_else` |
//! | `mail/apps/bounds.rs` `AUTHOR_BYTES_MAX` | bytes of these | author | refused here; of others those of the highest ids are not heard | deleted with its message | `so_it_is_with_bytes_and_a_small_one_does_not_slip_in_behind_what_was_too_much` |
//! | `content/json.rs` `NESTED_MAX` 100 | arrays and objects in one another in an update of an app | update | heard by no app | | `what_lies_too_deep_is_none_and_takes_no_stack` |
//! | `desk/apps/files.rs` `OPEN_MAX` 4 | containers of apps that stay open | owner | oldest | restart | |
//! | `desk/apps/files.rs` `DESCRIBED_MAX` 256 | what apps say of themselves, at hand | owner | oldest | restart | |
//! | `xdc.rs` `XDC_BYTES_MAX` | a container | container | refused | read | `what_is_no_app_says_why` |
//! | `xdc.rs` `ENTRIES_MAX` 2,048 | files of one | container | refused | read | `links_and_crowds_are_refused` |
//! | `xdc.rs` `ENTRY_BYTES_MAX` | one of these, unpacked | container | refused | read | `what_unpacks_to_too_much_is_refused_as_it_says_and_as_it_is` |
//! | `xdc.rs` `UNPACKED_BYTES_MAX` | all of them | container | refused | read | `what_unpacks_to_too_much_is_refused_as_it_says_and_as_it_is` |
//! | `mail/groups.rs` `GROUPS_MAX` 256 | groups that one is in | owner | refused | left | |
//! | `mail/groups/hearing.rs` `INVITATIONS_MAX` 64 | groups that one is asked to join | all | refused | joined, turned down | `invitations_of_strangers_and_words_of_unknown_groups_take_bounded_room` |
//! | `mail/groups/effort.rs` `STEPS_MAX` | steps to tell who is in a group that this person did something in, or that one contact asks them to join | group, contact | dropped, and asked again | an hour, a restart | `a_log_that_is_hard_to_judge_takes_a_bounded_part_of_an_hour` |
//! | `mail/groups/effort.rs` `STEPS_OF_STRANGERS_MAX` | the same of groups that all strangers ask one to join | strangers | dropped | an hour, a restart | `a_log_that_is_hard_to_judge_takes_a_bounded_part_of_an_hour` |
//! | `mail/groups/effort.rs` `ANSWERS_BYTES_MAX` | answers to members of one group | group | put off | a day, a restart | `members_who_ask_without_end_are_answered_with_so_much_a_day` |
//! | `mail/groups/effort.rs` `ANSWERS_OF_MEMBER_BYTES_MAX` | those to one of them | member | put off | a day, a restart | `members_who_ask_without_end_are_answered_with_so_much_a_day` |
//! | `mail/groups/epochs.rs` `EPOCHS_MAX` 256 | keys kept of a group | member | oldest | three months | `a_member_who_sends_keys_without_end_displaces_their_own` |
//! | `mail/groups/epochs.rs` `EPOCHS_OF_MEMBER_MAX` 64 | of these, from one member | member | oldest | three months | `a_member_who_sends_keys_without_end_displaces_their_own` |
//! | `mail/groups/hearing.rs` `ASKED_MAX` 4,096 | questions to members and answers to them, remembered for an hour at least | all | refused: nothing is asked or answered | an hour, a restart | |
//! | `mail/groups/hearing.rs` `ASKED_EACH_MAX` 64 | those of one member | member | refused | an hour, a restart | `a_member_who_writes_under_keys_without_end_takes_nobody_elses_questions` |
//! | `mail/groups/hearing.rs` `SAME_MAX` 16 | questions to a member about the same, and answers, while the log stays as it is | member | refused | the log grows, a month without, a restart | `the_same_is_asked_and_answered_so_often_and_then_once_something_is_new` |
//! | `mail/groups/later.rs` `QUESTIONS_MAX` 256 | questions about groups that cannot be answered yet | all | refused, and asked again by who wants to know | answered, a restart | |
//! | `mail/groups/later.rs` `EARLY_QUESTIONS_MAX` 64 | those of people who are no members as far as is known | all | refused | they are admitted, a restart | `questions_of_people_who_are_no_members_take_a_bounded_room` |
//! | `mail/groups/receipts.rs` `UNDER_WAY_MAX` 16 | receipts for one author in one group that are under way from here, of at most 64 messages each | author | oldest | heard, seven days | `an_author_who_writes_without_end_has_a_bounded_number_of_bundles_here` |
//! | `agent/got.rs` `GOT_COPIES_MAX` 4 | copies of a member's receipt | all | no more are handed out | its author has it, its life | `it_goes_in_as_many_copies_as_it_was_given_and_never_in_more_than_four` |
//! | `mail/groups/log.rs` `OPERATIONS_MAX` 4,096 | operations of a group's log | author | refused | with the group | `ten_thousand_invitations_end_at_the_bounds_and_the_others_go_on` |
//! | `mail/groups/log.rs` `OPERATIONS_OF_ALL_MAX` 3,072 | of these, but of owners | owners | refused | with the group | `who_fills_a_log_with_nothing_can_still_be_removed` |
//! | `mail/groups/log.rs` `OPERATIONS_OF_AUTHOR_MAX` 1,024 | of these, of one author | author | refused | with the group | `ten_thousand_invitations_end_at_the_bounds_and_the_others_go_on` |
//! | `mail/groups/log.rs` `MEMBERS_MAX` 256 | members of a group | owner | refused | removed, left | `ten_thousand_invitations_end_at_the_bounds_and_the_others_go_on` |
//! | `mail/groups/log.rs` `WAITING_MAX` 256 | operations that wait for those before them | author | of whose most wait one | those came, a restart | `what_comes_before_what_it_follows_waits_for_it_and_only_so_much_does` |
//! | `mail/groups/log.rs` `WAITING_OF_AUTHOR_MAX` 64 | of these, of one author | author | refused | those came, a restart | `what_comes_before_what_it_follows_waits_for_it_and_only_so_much_does` |
//! | `mail/hooks.rs` `HOOKS_MAX` 64 | hooks | owner | refused | removed | |
//! | `mail/hooks.rs` `HOOK_NAME_BYTES_MAX` 64 | the name of one | owner | refused | removed | |
//! | `mail/hooks.rs` `HOOK_WORDS_MAX` 256 | words of its command | owner | refused | removed | |
//! | `mail/hooks.rs` `HOOK_COMMAND_BYTES_MAX` | these together | owner | refused | removed | |
//! | `mail/hooks.rs` `HOOK_AT_ONCE_MAX` 8 | messages that one works on at once | owner | wait their turn | done, failed | |
//! | `desk/hooks/running.rs` `HOOKS_RUN_MAX` 16 | programs of all hooks that run at once | owner | wait their turn | done, failed | |
//! | `mail/hooks.rs` `HOOK_TIME_MS_MAX` | milliseconds that it may take for one: an hour | owner | refused | killed | `one_that_never_ends_is_killed_with_all_that_it_started` |
//! | `mail/hooks.rs` `HOOK_TRIES_MAX` 100 | tries of one message | owner | refused | done, given up | |
//! | `content/tags.rs` `STEPS_MAX` 7 | automatic messages that follow from each other | all | refused, until a person sends one | sent | `what_is_passed_on_because_of_each_other_ends_after_so_many` |
//! | `mail/automatic.rs` `ANSWERED_MAX` 4,096 | people who got an automatic answer lately | all | who got it longest ago; where that is not long ago, refused: nobody more is answered | displaced | `who_was_answered_is_forgotten_only_once_it_does_not_matter` |
//! | `mail/automatic.rs` `AWAY_BYTES_MAX` 4,096 | what one who is away says | owner | refused | back | |
//! | `command.rs` `KEPT_BYTES_MAX` | what is kept of what a program prints | program | read and thrown away | logged | `of_what_one_prints_a_bounded_part_is_kept_and_one_that_goes_on_is_ended` |
//! | `command.rs` `PRINTED_BYTES_MAX` | what a program may print | program | the program ends | logged | `of_what_one_prints_a_bounded_part_is_kept_and_one_that_goes_on_is_ended` |
//! | `cli/notify.rs` `ONE_BY_ONE_MAX` 3 | messages that came together and are told one by one | owner | told as a number | told | `many_that_come_together_are_a_number` |
//! | `cli/notify.rs` `TOGETHER_MAX` 256 | messages taken together | owner | told with the next | told | |
//! | `desk/topics/consume.rs` `GROUPS_MAX` 256 | groups that consume one topic | owner | refused | with the subscription | `groups_of_a_topic_are_bounded_and_known_ones_go_on` |
//! | `desk/topics/consume.rs` `SETTLED_AT_ONCE_MAX` 1,024 | events that one request settles | owner | refused | at once | |
//! | `desk/topics/consume.rs` `WINDOW_MAX` 512 | events out with one consumer | consumer | no more are handed out | done | |
//! | `api/model/topics.rs` `PUBLISHED_AT_ONCE_MAX` 512 | messages that one request publishes | owner | refused | at once | |
//! | `mail/sameness.rs` `SAME_MAX` 64 | later bundles of one content that are one row with it | author | with words that are there, dropped; with others, rows of their own | deleted | `past_the_bound_what_says_the_same_leaves_its_words_and_what_says_something_else_has_a_row` |
//! | `mail/kept.rs` `KEPT_MAX` 1,048,576 | what is arranged: places, labels, drafts, introductions | owner | refused | taken back, its message is deleted | |
//! | `content/text.rs` `AFTER_READ_MS_MAX` | how long after it was read a message stays that is to be forgotten: a year | owner | refused | forgotten, deleted | |
//! | `content/file.rs` `PUSH_BYTES_MAX` | bytes of a file that goes, or comes, without being asked for, whatever anybody says of themselves | source | offered | | `each_person_says_what_comes_by_itself_and_who_sends_hears_of_it` |
//! | `blobs.rs` `UNASKED_BYTES_MAX` | bytes of files that contacts send without being asked, of each as much as its place on the disk costs at least | source | offered; their parts are rejected until they are asked for | deleted, cancelled | `what_nobody_asked_for_is_bounded_and_shared_and_a_stranger_s_is_not_taken` `files_of_a_byte_cost_what_their_places_do_and_one_that_never_ends_is_not_kept_open` |
//! | `blobs.rs` `EARLY_BYTES_MAX` | bytes of parts that came before their messages, of one contact a quarter, counted likewise | contacts | refused, and tried again | the message, a restart | `parts_that_come_before_their_message_are_kept_within_bounds` |
//! | `mail/files.rs` `WINDOW_PARTS_MAX` 64 | parts of a file on their way that nobody promised to keep | owner | wait in their file | promised, delivered | `what_nobody_promised_to_keep_fills_a_window_and_what_is_promised_leaves_it_to_the_next` |
//! | `mail/files.rs` `PROMISED_PARTS_MAX` 64 | parts of a file that peers hold and that are held here too | owner | the copy here | delivered, expired | `what_nobody_promised_to_keep_fills_a_window_and_what_is_promised_leaves_it_to_the_next` |
//! | `mail/files.rs` `AWAY_PARTS_MAX` 16,384 | parts of a file on their way in all | owner | wait in their file | delivered, expired, given up | `what_nobody_promised_to_keep_fills_a_window_and_what_is_promised_leaves_it_to_the_next` |
//! | `folder.rs` `ENTRIES_MAX` | files and folders in one that is sent | owner | refused | | |
//! | `mail/kept.rs` `LABELS_MAX` 32 | labels of one message | owner | refused | taken off | |
//! | `mail/kept.rs` `LABEL_BYTES_MAX` 64 | a label | owner | refused | taken off | |
//! | `mail/kept/draft.rs` `DRAFTS_MAX` 256 | drafts | owner | refused | sent, deleted | |
//! | `mail/kept/draft.rs` `RECIPIENTS_MAX` 64 | recipients of a draft | owner | refused | sent, deleted | |
//! | `desk/drafts.rs` `SENT_MAX` 1,024 | drafts that were sent, by their numbers | owner | oldest | | |
//! | `mail/kept/once.rs` `ONCE_MAX` 4,096 | messages that were sent under a key of whoever asked | owner | oldest | | `of_what_was_sent_once_the_last_are_remembered` |
//! | `desk.rs` `TOLD_MAX` 256 | news of what the desk did | all | oldest | heard | |
//! | `desk/places.rs` `AT_ONCE_MAX` 1,024 | what one request arranges | owner | refused | at once | |
//! | `store/redb/mail.rs` `LIKE_MAX` 65,536 | deleted rows passed over to find an id that begins as typed | owner | not found | at once | |
//! | `driver/held_back.rs` `SAID_MAX` 1,024 | what was said and waits for a commit | all | committed at once | committed, three seconds | |
//! | `agent/quota.rs` `WEIGHED_MAX` 64 | bundles weighed for one place | all | the latest to expire | at once | |
//! | `agent/routing/hearsay.rs` `TELLERS_MAX` 64 | peers whose words are kept | peer | oldest; present ones never | outlived | `what_peers_tell_is_bounded_however_many_they_are` |
//! | `agent/routing/hearsay.rs` `HANDED_MAX` 1,024 | messages that peers were handed, until a receipt comes | all | oldest | the receipt | |
//! | `agent/routing/meetings.rs` `MET_MAX` | nodes that were met | all | least met; named last | outrated | `hearsay_never_takes_the_place_of_a_meeting` |
//! | `agent/summary/step.rs` `STRETCH_IDS_MAX` | ids of one stretch | contact | the rest is the next stretch | `Want` | `sets_far_apart_cost_no_more_than_twice_a_list` |
//! | `agent/summary/solver.rs` `OWN_IDS_MAX` | own ids that cells are peeled against | contact | a list is asked for instead | end of the stretch | |
//! | `agent/summary/cells.rs` `CELLS_MAX` | cells of one stretch | contact | a list is asked for instead | end of the stretch | `forged_fingerprints_draw_no_more_than_cells_and_the_list` |
//! | `agent/summary/reconciliation.rs` `CLAIM_MAX` | ids that a peer may claim to know | contact | cut | contact | `a_giant_claim_costs_four_kilobytes_at_most` |
//!
//! What a peer has in flight is bounded by the window of its contact, what is answered in one batch by what its frames take
//! of the network's budget.
//!
//! # Frames
//!
//! | bound | what | shared by | gives way | an entry ends | flood |
//! |---|---|---|---|---|---|
//! | `frame.rs` `FRAME_BYTES_MAX` | a frame | contact | refused | read | `a_length_past_the_limit_ends_the_contact_and_is_told` |
//! | `frame.rs` `FRAME_BUNDLE_BYTES_MAX` | a frame with a bundle | contact | refused | read | `bundles_over_the_limits_are_turned_away_at_the_door` |
//! | `frame.rs` `FRAME_IDS_MAX` 65,536 | short ids in a frame | contact | refused | read | |
//! | `frame.rs` `FRAME_FULL_IDS_MAX` 16,384 | full ids in a frame | contact | refused | read | |
//! | `frame.rs` `FRAME_CELLS_MAX` 32,768 | cells in a frame | contact | refused | read | |
//! | `frame.rs` `MAILBOXES_MAX` 16 | delegations in a Hello | contact | refused | contact | |
//! | `frame/codec.rs` `MAP_BYTES_MAX` | a map of buckets | contact | refused | read | |
//!
//! # The network
//!
//! | bound | what | shared by | gives way | an entry ends | flood |
//! |---|---|---|---|---|---|
//! | `net.rs` `pending_max` | connections whose handshake is not done | all | oldest | handshake, ten seconds | `a_new_handshake_takes_the_place_of_the_oldest` |
//! | `net.rs` `strangers_max` | inbound connections of strangers | host | of the host with most, else of those that had their time, by lot | closed | `strangers_past_the_bound_wait_until_one_had_its_time`, `a_host_that_has_most_places_keeps_no_stranger_of_another_out` |
//! | `net.rs` `familiars_max` | inbound connections of named people | peer | refused | closed | `those_who_were_named_have_places_of_their_own_and_keep_them` |
//! | `net.rs` `outbound_max` | outbound connections | lane | the named keep a reserve | closed | `strangers_who_dial_in_keep_nobody_from_being_dialed` |
//! | `net.rs` `budget_bytes` | frames of one contact that were not dealt with | contact | the peer waits | dealt with | `a_peer_that_floods_waits_for_itself_alone` |
//! | `net.rs` `crowd_bytes` | the same of all strangers | all | strangers wait | dealt with | `what_strangers_left_behind_counts_until_it_is_dealt_with` |
//! | `net.rs` `queue_bytes_max` | frames that wait for one peer | contact | the contact ends | sent | `a_queue_past_its_bound_ends_the_contact` |
//! | `net.rs` `queues_bytes_max` | the same of all contacts | contact | the fullest contact ends | sent | `many_that_take_nothing_leave_room_for_one_that_does` |
//! | `net.rs` `EVENTS_MAX` 1,024 | events that wait for the node | contact | contacts wait | taken | |
//! | `bundle/handed.rs` `GIVEN_MAX` 4,096 | messages handed to their node, for receipts that name them shortly | contact | oldest | contact | `the_latest_are_remembered_and_the_giver_remembers_what_the_taker_does` |
//! | `bundle/handed.rs` `TAKEN_MAX` 256 | messages that came for this node, for its receipts | contact | oldest | contact | `the_latest_are_remembered_and_the_giver_remembers_what_the_taker_does` |
//! | `net/length.rs` `LENGTH_BYTES_MAX` 3 | bytes that say the length of a frame | contact | refused | read | `a_length_has_one_spelling_and_a_bound` |
//! | `net/task.rs` `OUTBOX_MAX` 256 | hints of the network that wait for the node | all | refused | taken | |
//! | `net/wishes.rs` `WISHES_MAX` 4,096 | wishes of the node that the network has not taken up | node | refused, and asked again | taken up | |
//! | `net/admission.rs` `BANISHED_MAX` 4,096 | peers turned away | peer | least time left | ten minutes | `who_was_sent_away_stays_away_for_as_long_and_no_longer` |
//! | `net/behaviour.rs` `PER_PEER_MAX` 2 | connections with one peer | peer | refused | closed | `a_third_connection_of_one_peer_is_refused` |
//! | `net/behaviour.rs` `NEGOTIATING_MAX` 8 | streams of one connection that are negotiated | connection | refused | negotiated | |
//! | `net/protocol.rs` `EXTRA_STREAMS_MAX` 2 | streams beside those of the contact | connection | the contact ends | closed | `stream_after_stream_ends_the_contact` |
//! | `net/muxer.rs` `STREAMS_MAX` 8 | streams of one connection | connection | refused | closed | |
//! | `net/muxer/unread.rs` `UNREAD_FRAMES_MAX` 16,384 | frames with data that nobody read yet | connection | the connection ends | read | `who_fills_a_window_with_crumbs_that_nobody_reads_loses_the_connection`, `what_comes_for_a_stream_that_was_given_up_is_bounded_as_well` |
//! | `net/muxer.rs` `ARRIVED_MAX` | streams nobody took | connection | refused | taken | |
//! | `net/muxer.rs` `PIECE_BYTES_MAX` | one piece of a stream | connection | split | sent | |
//! | `net/pairing.rs` `WAITING_MAX` 256 | streams to pair that nobody took yet; none while no code is shown | peer, one each | refused | taken | `whoever_guesses_at_a_code_in_crowds_is_told_of_and_let_in_by_nobody`, `a_crowd_that_opens_streams_to_pair_keeps_nobody_from_pairing` |
//! | `net/pairing.rs` `ASKED_MAX` 32 | nodes that are asked to pair at once | owner | refused, and asked again | answered | |
//! | `net/book.rs` `NAMED_MAX` 4,096 | peers that the owner named | owner | refused | named no more | |
//! | `net/book.rs` `STRANGERS_MAX` 1,024 | peers that answered once | host | shares | given up | `a_host_that_floods_does_not_hide_the_others` |
//! | `net/book.rs` `ADDRESSES_MAX` 4 | addresses of one peer | peer | the least sure | given up | |
//! | `net/book.rs` `DIALS_MAX` 16 | dials under way | lane | the rest waits | answered | `many_that_are_waited_for_cost_two_dials_a_second_and_few_are_met_within_five` |
//! | `net/book.rs` `RETRIES_MAX` | of these, of peers that did not answer last time | lane | the rest waits | answered | `a_book_of_peers_that_are_gone_is_read_ever_more_slowly` |
//! | `net/book.rs` `CHANCE_DIALS_MAX` | dials by chance under way | lane | the rest waits | answered | |
//! | `net/book.rs` `CHANCE_OUTBOUND_MAX` 24 | outbound connections that chance brought | lane | one in turn | closed | `whoever_claims_a_name_is_dialed_however_many_this_node_is_connected_with_or_looks_for` |
//! | `net/book/chance.rs` `DIALS_PER_SPAN_MAX` 8 | dials by chance within a span | all | the rest waits | span | |
//! | `net/book/hearsay.rs` `CLAIMS_MAX` 1,024 | names claimed by multicast | host | shares | dialed | `a_flood_of_claims_fills_neither_the_book_nor_the_wire` |
//! | `net/book/hearsay.rs` `CLAIMS_PER_HOST_MAX` 16 | of these, of one host | host | refused | dialed | `a_flood_of_claims_fills_neither_the_book_nor_the_wire` |
//! | `net/book/hearsay.rs` `DIALS_MAX` 8 | dials of claims under way | all | the rest waits | answered | |
//! | `net/book/hearsay.rs` `HOSTS_MAX` 1,024 | hosts that claimed falsely | host | lot | ten minutes | |
//! | `net/discovery.rs` `LINKS_MAX` 32 | interfaces listened to | owner | refused | gone | |
//! | `net/discovery.rs` `SIGHTINGS_MAX` 256 | sightings that wait for the network | all | refused | taken | |
//! | `net/discovery/heard.rs` `NEIGHBOURS_MAX` 1,024 | peers heard on one link | link | lot | not heard again | `a_crowd_of_hosts_is_bounded_together_and_remembered_up_to_a_bound` |
//! | `net/discovery/heard.rs` `HOST_CLAIMS_MAX` 16 | claims of one host within ten seconds | host | refused | ten seconds | `a_host_that_floods_is_not_heard_and_others_are` |
//! | `net/discovery/heard.rs` `LINK_CLAIMS_MAX` 512 | claims on one link within ten seconds | link | refused | ten seconds | `a_crowd_of_hosts_is_bounded_together_and_remembered_up_to_a_bound` |
//! | `net/discovery/link.rs` `PACKETS_MAX` 1,000 | packets of one link within a second | link | read later or lost | a second | `a_flood_is_read_up_to_a_bound_and_on_in_the_next_second` |
//! | `net/discovery/link.rs` `VOICES_MAX` 4 | own addresses that speak on one link | owner | refused | gone | |
//! | `net/discovery/record.rs` `PACKET_BYTES_MAX` | one packet | packet | cut, and left | read | `whatever_anybody_in_the_network_sends_is_read_or_left` |
//! | `net/discovery/record.rs` `CLAIMS_MAX` 16 | claims of one packet | packet | refused | read | |
//! | `net/interfaces.rs` `OFFERED_MAX` 8 | own addresses that are offered | owner | bridges and tunnels | gone | |
//!
//! # The node, the store and its clients
//!
//! | bound | what | shared by | gives way | an entry ends | flood |
//! |---|---|---|---|---|---|
//! | `node/core.rs` `BATCH_MAX` 256 | pieces of work in one batch | peer | the rest is the next batch | handed over | `a_peer_that_floods_waits_for_itself_alone` |
//! | `node/core.rs` `BATCH_CHANGES_MAX` 4,096 | what follows from one batch | peer | the rest is the next batch | handed over | `receipts_on_a_thousand_ids_each_fill_a_batch_of_their_own` |
//! | `node/queue.rs` `SHARES_MAX` 1,024 | whose time is remembered | named peer, host of strangers | all of whom nothing waits | pushed out | `hosts_without_number_are_not_remembered` |
//! | `node/core.rs` `AHEAD_MAX` 4 | batches that wait for the store | all | the agent waits | committed | |
//! | `node/courier.rs` `BEHIND_MAX` 16 | batches of acts not performed | all | the agent waits | performed | |
//! | `node/courier.rs` `FETCH_MAX` 1,024 | bodies read at once | all | the rest is read next | sent | |
//! | `node/courier.rs` `EVENTS_MAX` 4,096 | events for those who follow | follower | oldest, and the follower is told | taken | |
//! | `node/tally.rs` `PEERS_MAX` 4,096 | prices of peers that sent what does not verify | peer | oldest | pushed out | `a_few_forgeries_or_many_strange_forms_send_a_peer_away_and_nobody_else` |
//! | `brake.rs` `KEYS_MAX` 1,024 | of whom the log said lately what is said of one once | all | oldest | pushed out | `ever_new_names_are_braked_as_one_is_and_a_bounded_number_remembered` |
//! | `node/nearby.rs` `EARLY_MAX` 64 | names of nodes whose contact has not begun | all | all at once | its contact begins | `what_a_node_says_before_its_contact_begins_is_heard_and_of_those_who_never_begin_one_only_so_much` |
//! | `node/nearby.rs` `SIGHTINGS_MAX` 1,024 | who was heard nearby | all | oldest | not heard again | `the_places_for_those_who_were_heard_are_bounded_and_the_least_lately_heard_go_first` |
//! | `node/nearby.rs` `ADDRESSES_MAX` 4 | addresses of one of them | peer | oldest | not heard again | `the_places_for_those_who_were_heard_are_bounded_and_the_least_lately_heard_go_first` |
//! | `node/nearby.rs` `MEETINGS_MAX` 256 | meetings for those who follow | follower | oldest | taken | |
//! | `store/writer.rs` `QUEUE_MAX` 1,024 | requests that wait for the store | all | given back | committed | `a_full_queue_gives_the_batch_back` |
//! | `store/writer.rs` `GROUP_BATCHES_MAX` 256 | batches in one transaction | all | the next transaction | committed | `what_queues_while_a_commit_runs_shares_the_next_one_in_order` |
//! | `store/writer.rs` `GROUP_CHANGES_MAX` 4,096 | changes in one transaction | all | the next transaction | committed | |
//! | `store/writer.rs` `GROUP_BYTES_MAX` | bodies in one transaction | all | the next transaction | committed | |
//! | `store/redb.rs` `STAGED_MAX` 256 | side records that wait for a commit | all | committed at once | committed | |
//! | `store/redb/side.rs` `ADDRESS_NODES_MAX` 1,024 | nodes in the saved address book | host | shares; contacts and entered ones last | forgotten | `the_address_book_is_shared_by_host_and_keeps_contacts_and_what_was_entered` |
//! | `store/redb/side.rs` `ADDRESSES_PER_NODE_MAX` 4 | saved addresses of one node | peer | the longest ago; entered ones last | forgotten | |
//! | `store/redb/side.rs` `ADDRESS_BYTES_MAX` 256 | one saved address | peer | refused | forgotten | |
//! | `store/redb/overlay.rs` `WRITTEN_BYTES_MAX` | pages written over a store that is only read | owner | refused | closed | |
//! | `store/redb/log.rs` `OPERATIONS_BYTES_MAX` | what a commit does to the tables, in the journal | all | not by the journal | committed | `large_commits_go_by_the_journal_and_take_along_what_it_has` |
//! | `store/redb/journal.rs` `READ_BYTES_MAX` | a journal that is read | owner | ignored | read | |
//! | `id/peer_id.rs` `WRITTEN_MAX` 256 | names as text, of each thread | all | overwritten | overwritten | |
//! | `store/redb/check.rs` `PROBLEMS_MAX` 1,000 | problems that are listed | owner | counted only | told | |
//! | `api/server.rs` `CONNECTIONS_MAX` 64 | clients at once | client | told to come again | closed | `one_client_too_many_is_told_to_come_again` |
//! | `api/server.rs` `BODY_BYTES_MAX` | the body of a request | client | refused | read | `a_body_over_the_limit_is_refused_whether_declared_or_not` |
//! | `api/server.rs` `STREAM_ROWS_MAX` 1,024 | rows that wait for one client | client | the listing waits | taken | `a_reader_that_stands_still_is_given_up_and_a_slow_one_is_not` |
//! | `web/lan/secured.rs` `CONNECTIONS_OF_ADDRESS_MAX` 16 | of these at the door for phones, of one address | host | told to come again | closed | `one_device_takes_a_part_of_the_places_and_another_comes_in` |
//! | `web/sessions.rs` `SESSIONS_MAX` 64 | browsers that are let in | owner | seen longest ago | revoked | `name_and_key_stay_and_browsers_are_bounded` |
//! | `web/links.rs` `LINKS_MAX` 16 | links for browsers that were not used | owner | oldest | used, five minutes | `links_are_bounded_and_the_oldest_goes_first` |
//! | `net/hostname.rs` `LINKS_MAX` 32 | interfaces on which the page's name is asked for | owner | refused | gone | |
//! | `net/hostname.rs` `ADDRESSES_MAX` 8 | addresses of one interface that are told | owner | refused | gone | |
//! | `net/hostname.rs` `NAMES_MAX` 4 | names of one question that are told | question | not told | asked again | `what_is_answered_fits_into_a_packet_however_much_is_asked` |
//! | `net/hostname.rs` `PACKET_BYTES_MAX` | one packet | packet | cut, and left | read | `other_questions_and_noise_are_nobodys` |
//! | `net/hostname.rs` `ANSWERS_MAX` 20 | answers on one link within a second | link | refused | a second | |
//! | `web/session.rs` `OPENING_BYTES_MAX` | the body with which a browser asks to be let in | client | refused | read | |
//! | `api/model/compose.rs` `COMPOSED_BYTES_MAX` | a message | owner | refused | sent | `a_message_over_the_limit_is_refused_with_the_limit` |
//! | `api/model/stick.rs` `STICK_BUNDLES_MAX` 256 | bundles of a stick in one request | owner | refused | answered | |
//! | `api/model/stick.rs` `STICK_BYTES_MAX` | bytes that are taken out for a stick at once | owner | asked for again | answered | |
//! | `mail/query.rs` `QUERY_BYTES_MAX` 1,024 | a query | owner | refused | answered | `what_is_no_query_says_why` |
//! | `mail/query.rs` `QUERY_PARTS_MAX` 32 | parts of a query | owner | refused | answered | `what_is_no_query_says_why` |
//! | `api/model/record.rs` `IMPORTS_MAX` 256 | messages of an export taken in at once | owner | refused | answered | |
//! | `api/model.rs` `SEARCH_ROWS_MAX` 1,000 | rows that a search finds | owner | those that fit less | answered | |
//! | `stats.rs` `SHORT_SAMPLES_MAX` 288 | figures of five minutes each | owner | oldest | a day | `a_month_fits_by_the_hour_and_its_last_day_by_five_minutes_in_a_file_that_does_not_grow` |
//! | `stats.rs` `LONG_SAMPLES_MAX` 720 | figures of an hour each | owner | oldest | thirty days | `a_month_fits_by_the_hour_and_its_last_day_by_five_minutes_in_a_file_that_does_not_grow` |
//!
//! # Bounds of no place
//!
//! Numbers, forms and shapes are bounded too: `WORSE_MAX`, `COUNT_MAX`, `LEAF_IDS_MAX`, `DEPTH_MAX`, `LIST_IDS_MAX`,
//! `TRIES_MAX`, `ENTRIES_TOLD_MAX`, `RATES_TOLD_MAX`, `BITS_MAX`, `NAME_BYTES_MAX`, `MISSED_MAX`, `PRICE_MAX`,
//! `SEQUENCE_MAX`, `ROUNDED_MAX`, `SINCE_MAX`, `TRIED_MAX`, `PEERS_EQUAL_MAX`,
//! `SOURCES_EQUAL_MAX`, `SOCKET_PATH_BYTES_MAX`, `ASIDE_MAX`, `PROBES_MAX`,
//! `TOKEN_CHARS_MAX`, `SMALL_ROWS_MAX` and `LAG_MAX`.

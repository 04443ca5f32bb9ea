// What became of a message of one's own, in words that name whose word it is: the same rules as `dak status`.
import type { ComponentChildren } from 'preact';
import type { Event, State, StatusRow } from './api.types';
import { called } from './people';
import { plain } from './safe';
import { Time } from './view/ui';
import { t, tx, type WordKey } from './words';

export type Mood = 'good' | 'way' | 'bad' | 'plain';

const moods: Record<State, Mood> = {
  queued: 'plain',
  copy: 'way',
  custody: 'way',
  full: 'way',
  expired: 'bad',
  cancelled: 'plain',
  rejected: 'bad',
  delivered: 'good',
  read: 'good',
};

export function moodOf(state: State): Mood {
  return moods[state];
}

/** The state that an event proves. Giving up takes back a promise and proves nothing new. */
function stateOf(event: Event): State {
  return event.what === 'gave_up' ? 'queued' : event.what;
}

function isGivenUp(event: Event, row: StatusRow): boolean {
  const gaveUp = (other: Event) => other.what === 'gave_up' && other.who === event.who;
  return (event.what === 'copy' || event.what === 'custody') && row.events.some(gaveUp);
}

/** The event that the state stands on: of a carrier that stands by it, where there is one. */
export function proofOf(row: StatusRow): Event | undefined {
  const carries = row.events.filter((event) => stateOf(event) === row.state);
  return carries.find((event) => !isGivenUp(event, row)) ?? carries[0];
}

export function isOut(row: StatusRow): boolean {
  return row.carriers_unlisted > 0 || row.events.some(({ what }) => !['queued', 'expired', 'cancelled'].includes(what));
}

/** What its author reads below a message. Without the evidence there is the state alone. */
export function stateWords(state: State, row: StatusRow | undefined): ComponentChildren {
  if (!row || row.state !== state) return t(`state.${state}`);
  if (row.members?.length) {
    const words = memberWords(row);
    if (words) return words;
  }
  const proof = proofOf(row);
  const who = <bdi>{proof?.who ? called(proof.who) : t('state.a_carrier')}</bdi>;
  const to = <bdi>{called(row.to)}</bdi>;
  const at = proof?.at ? <Time at={proof.at} /> : t('state.unknown_time');
  const say = (key: WordKey) => tx(key, { who, to, at, reason: <bdi>{plain(proof?.reason ?? '')}</bdi> });
  switch (state) {
    case 'queued':
      return t('state.queued');
    case 'copy':
    case 'custody':
      if (proof && isGivenUp(proof, row)) return say('state.gave_up_by');
      if (proof?.who === row.to) return say('state.custody_to');
      return say(state === 'copy' ? 'state.copy_by' : 'state.custody_by');
    case 'full':
      return say('state.full_by');
    case 'rejected':
      return say(proof?.reason ? 'state.rejected_why' : 'state.rejected_by');
    case 'delivered':
      return say('state.delivered_by');
    case 'read':
      return say('state.read_by');
    case 'cancelled':
      return t(isOut(row) ? 'state.cancelled_out' : 'state.cancelled');
    case 'expired':
      return t('state.expired');
  }
}

const HAVE: State[] = ['delivered', 'read'];

/** How many of a group have it, and who does not; none where nobody is known to. */
function memberWords(row: StatusRow): ComponentChildren | null {
  const members = row.members ?? [];
  const missing = members.filter((member) => !HAVE.includes(member.state));
  const [all, have] = [members.length, members.length - missing.length];
  if (have === 0) return null;
  if (!missing.length) return t('state.all_have', { all });
  const named = missing.slice(0, 3).map((member) => called(member.name ?? member.address));
  const rest = missing.length - named.length;
  const names = rest ? t('state.names_and', { names: named.join(', '), count: rest }) : named.join(', ');
  return tx('state.some_have', { have, all, names: <bdi>{names}</bdi> });
}

/** One event of a message's life, as a sentence. */
export function eventWords(event: Event, row: StatusRow): ComponentChildren {
  const who = <bdi>{event.who ? called(event.who) : t('state.a_carrier')}</bdi>;
  const to = <bdi>{called(row.to)}</bdi>;
  const say = (key: WordKey) => tx(key, { who, to, reason: <bdi>{plain(event.reason ?? '')}</bdi> });
  switch (event.what) {
    case 'custody':
      return event.who === row.to ? say('life.custody_to') : say('life.custody');
    case 'gave_up':
      return say(row.held_here ? 'life.gave_up_held' : 'life.gave_up');
    case 'cancelled':
      return say(isOut(row) ? 'life.cancelled_out' : 'life.cancelled');
    case 'rejected':
      return say(event.reason ? 'life.rejected_why' : 'life.rejected');
    default:
      return say(`life.${event.what}`);
  }
}

/** What may come next. */
export function nextWords(row: StatusRow): string {
  switch (row.state) {
    case 'queued':
    case 'copy':
    case 'custody':
      return t(row.held_here ? 'life.next_held' : 'life.next_flight');
    case 'full':
      return t('life.next_full');
    case 'expired':
      return t('life.next_late');
    case 'cancelled':
      return t(isOut(row) ? 'life.next_late' : 'life.next_nothing');
    default:
      return t('life.next_nothing');
  }
}

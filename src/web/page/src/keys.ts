// Keys that work anywhere on the page. A screen adds its own by listening on its elements.
import { talks } from './store';
import { go, place, to } from './route';

/** Whether a key belongs to what is being written. */
export function isWriting(event: KeyboardEvent): boolean {
  const target = event.target;
  return target instanceof HTMLElement && (target.isContentEditable || /^(INPUT|TEXTAREA|SELECT)$/.test(target.tagName));
}

export function hasModifier(event: KeyboardEvent): boolean {
  return event.ctrlKey || event.metaKey || event.altKey;
}

/** Goes to the conversation so many further down the list. */
export function stepTalk(by: number, isWanted: (unread: number) => boolean = () => true): void {
  const all = (talks.value ?? []).filter((talk) => !talk.archived && !talk.snoozed_until);
  const open = place.value.screen === 'talk' ? place.value.parts[0] : undefined;
  const at = all.findIndex((talk) => talk.conversation === open);
  for (let n = 1; n <= all.length; n++) {
    const next = all[(((at < 0 && by < 0 ? 0 : at) + by * n) % all.length + all.length) % all.length];
    if (next && next.conversation !== open && isWanted(next.unread)) return go(to('talk', [next.conversation]));
    if (by < 0 && at < 0) return;
  }
}

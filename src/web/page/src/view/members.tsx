// Who is in a group.
import { useEffect, useState } from 'preact/hooks';
import { ask } from '../api';
import type { GroupRow, MemberRow } from '../api.types';
import { called } from '../people';
import { plain } from '../safe';
import { isNear } from '../store';
import { failure } from '../tell';
import { to } from '../route';
import { t } from '../words';
import { Avatar, Dialog } from './ui';

export function Members({ group, close }: { group: GroupRow; close: () => void }) {
  const [members, setMembers] = useState<MemberRow[]>([]);
  const [error, setError] = useState<string | null>(null);
  useEffect(() => {
    ask('GET /v1/groups/{group}/members', { group: group.address }).then(setMembers, (why: unknown) => setError(failure(why)));
  }, [group.address]);
  return (
    <Dialog title={t('members.title', { name: plain(group.name) })} close={close}>
      {error && <p class="bad">{error}</p>}
      <ul class="pick">
        {members.map((member) => {
          const name = member.me ? t('names.me') : called(member.name ?? member.address);
          return (
            <li key={member.address}>
              <a class="pick-row" href={member.me ? undefined : to('talk', [member.address])} onClick={close}>
                <Avatar name={name} address={member.address} isNear={isNear(member.address)} />
                <span class="pick-words">
                  <bdi class="cut">{name}</bdi>
                  <small class="muted">{t(`members.${member.role}`)}</small>
                </span>
              </a>
            </li>
          );
        })}
      </ul>
    </Dialog>
  );
}

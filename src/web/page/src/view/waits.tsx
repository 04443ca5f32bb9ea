// What waits in this browser for the node, in the conversation that it is for.
import type { Compose } from '../api.types';
import { again, takeBack, waiting, type Waiting } from '../outbox';
import { inLine } from '../safe';
import { attempt, tell } from '../tell';
import { t } from '../words';
import { Button } from './ui';
import './waits.css';

/** What a message has that is words and nothing else. */
const PLAIN = ['to', 'text', 'once', 'offset_minutes'];

export function Waits({ who, thread, write }: { who: string; thread: string | undefined; write: (text: string) => void }) {
  const isHere = ({ to, thread: of }: Compose) => to === who && (thread === undefined || of === thread.slice(0, 32));
  const here = waiting.value.filter((one) => isHere(one.compose));
  if (!here.length) return null;
  return (
    <ol class="messages waits">
      {here.map((one) => (
        <li key={one.number}>
          <Wait one={one} write={write} />
        </li>
      ))}
    </ol>
  );
}

function Wait({ one, write }: { one: Waiting; write: (text: string) => void }) {
  const files = one.compose.attachments?.length ?? 0;
  const back = async (then: (taken: Waiting) => void) => {
    const taken = await attempt(takeBack(one.number));
    if (taken) then(taken);
    else if (taken === null) tell(t('outbox.gone'));
  };
  // The rest of it has no place among what is written anew.
  const isPlain = Object.entries(one.compose).every(([name, value]) => PLAIN.includes(name) || value == null || (Array.isArray(value) && !value.length));
  const isPhone = matchMedia('(pointer: coarse)').matches;
  return (
    <div class="message mine">
      <div class="bubble pending">
        <div class="prose" dir="auto">
          {inLine(one.compose.text ?? '', 400)} {files > 0 && t('outbox.files', { count: files })}
        </div>
      </div>
      <p class={`state${one.refused === null ? '' : ' bad'}`}>
        {one.refused !== null ? t('outbox.refused', { why: one.refused }) : t(one.tried ? 'outbox.tried' : isPhone ? 'outbox.waits_phone' : 'outbox.waits')}
      </p>
      <div class="waits-acts">
        {one.refused !== null && <Button kind="quiet" label={t('outbox.again')} onClick={() => void attempt(again(one.number))} />}
        {!one.tried && isPlain && <Button kind="quiet" label={t('outbox.edit')} onClick={() => void back((taken) => write(taken.compose.text ?? ''))} />}
        <Button kind="quiet" label={t('outbox.cancel')} onClick={() => void back((taken) => taken.tried && tell(t('outbox.maybe')))} />
      </div>
    </div>
  );
}

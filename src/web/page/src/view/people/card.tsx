// One's own card: the address as a QR code and as text, and the words to compare.

import type { MeRow } from '../../api';
import { t } from '../../words';
import { Qr } from '../qr';
import { Copied, Section } from '../kit';
import { Avatar, Name } from '../ui';

export function MyCard({ me }: { me: MeRow }) {
  return (
    <article class="detail">
      <header class="detail-head">
        <span class="large-avatar"><Avatar name={me.name} address={me.address} /></span>
        <div>
          <h2>
            <Name>{me.name}</Name>
          </h2>
          <p class="dim">{t('card.lead')}</p>
        </div>
      </header>
      <Section title={t('card.address')} note={t('card.address_note')}>
        <div class="card-code">
          <Qr text={me.address} label={t('card.qr')} />
          <Copied text={me.address} label={t('card.copy')} />
        </div>
      </Section>
      <Section title={t('card.words')} note={t('card.words_note')}>
        <SafetyWords words={me.safety_words} />
      </Section>
    </article>
  );
}

/** Words to be read aloud, in their order. */
export function SafetyWords({ words }: { words: string }) {
  return (
    <ol class="safety-words">
      {words.split(' ').map((word, at) => (
        <li key={at}>{word}</li>
      ))}
    </ol>
  );
}

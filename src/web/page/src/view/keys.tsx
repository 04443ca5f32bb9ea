// The keys of the page, as `?` shows them.
import { lock } from '../lock';
import { enterSends } from '../settings';
import { t, type WordKey } from '../words';
import { Dialog } from './ui';

type Row = [keys: string[], word: WordKey];

function groups(): [WordKey, Row[]][] {
  return [
    [
      'keys.anywhere',
      [
        [['?'], 'keys.help'],
        [['/'], 'keys.search'],
        [['Alt', '↓'], 'keys.next_talk'],
        [['Alt', '↑'], 'keys.previous_talk'],
        [['Alt', 'Shift', '↓'], 'keys.next_unread'],
        [['Alt', '1…9'], 'keys.screen'],
        ...(lock.value === 'open' ? [[['Alt', 'L'], 'lock.now'] satisfies Row] : []),
        [['Esc'], 'keys.escape'],
      ],
    ],
    [
      'keys.in_talk',
      [
        [['↑', '↓'], 'keys.move'],
        [['Home', 'End'], 'keys.ends'],
        [['c'], 'keys.write'],
        [['r'], 'keys.reply'],
        [['t'], 'keys.thread'],
        [['+'], 'keys.react'],
        [['e'], 'keys.edit'],
        [['Enter'], 'keys.menu'],
      ],
    ],
    [
      'keys.in_compose',
      enterSends.value
        ? [
            [['Enter'], 'keys.send'],
            [['Shift', 'Enter'], 'keys.line'],
            [['↑'], 'keys.edit_last'],
          ]
        : [
            [['Ctrl', 'Enter'], 'keys.send'],
            [['Enter'], 'keys.line'],
            [['↑'], 'keys.edit_last'],
          ],
    ],
  ];
}

export function KeysDialog({ close }: { close: () => void }) {
  return (
    <Dialog title={t('keys.title')} close={close}>
      {groups().map(([title, rows]) => (
        <section class="keys">
          <h3>{t(title)}</h3>
          <dl>
            {rows.map(([keys, word]) => (
              <div>
                <dt>
                  {keys.map((key) => (
                    <kbd>{key}</kbd>
                  ))}
                </dt>
                <dd>{t(word)}</dd>
              </div>
            ))}
          </dl>
        </section>
      ))}
    </Dialog>
  );
}

// Somebody new, by the address that they gave.

import { useState } from 'preact/hooks';
import { ask } from '../../api';
import { go, to } from '../../route';
import { changed } from '../../stream';
import { t } from '../../words';
import { useDoing } from '../ask';
import { Form, TextField } from '../kit';

export function AddPerson(props: { address: string; name: string; onClose: () => void }) {
  const [address, setAddress] = useState(props.address);
  const [name, setName] = useState(props.name);
  const doing = useDoing();
  const add = () =>
    doing.run(async () => {
      const contact = await ask('POST /v1/contacts', { name: name.trim(), address: address.trim() });
      changed('contacts');
      props.onClose();
      go(to('people', [contact.peer_id]));
    });
  return (
    <Form
      title={t('people.add_title')}
      lead={t('people.add_lead')}
      does={t('people.add')}
      doing={doing}
      isReady={address.trim() !== '' && name.trim() !== ''}
      onDo={() => void add()}
      close={props.onClose}
    >
      <TextField label={t('people.address')} value={address} onInput={setAddress} lines={3} isCode required hint={t('people.address_hint')} isFirst={!props.address} />
      <TextField label={t('people.name')} value={name} onInput={setName} required hint={t('people.name_hint')} isFirst={!!props.address} />
    </Form>
  );
}

// Files that go with what is being written: their names, how far they are as they go, and what was recorded to be listened to.
import { useEffect, useState } from 'preact/hooks';
import type { Chosen, Photos } from '../outgoing';
import { kindOf } from '../pictures';
import { plain } from '../safe';
import { size } from '../times';
import { t } from '../words';
import { Icon } from './icons';
import { Player } from './player';
import { Button, Progress } from './ui';

const PHOTOS = ['smaller', 'whole', 'untouched'] as const;

interface Props {
  files: Chosen[];
  photos: Photos;
  isBusy: boolean;
  leave: (file: Chosen) => void;
  onPhotos: (photos: Photos) => void;
}

export function ChosenFiles({ files, photos, isBusy, leave, onPhotos }: Props) {
  if (!files.length) return null;
  return (
    <>
      <ul class="chosen">
        {files.map((one) => (
          <ChosenFile key={one.key} chosen={one} isBusy={isBusy} leave={() => leave(one)} />
        ))}
      </ul>
      {files.some((one) => one.isPhoto) && (
        <label class="photos">
          <span>{t('compose.photos')}</span>
          <select value={photos} disabled={isBusy} onChange={(event) => onPhotos(event.currentTarget.value as Photos)}>
            {PHOTOS.map((one) => (
              <option value={one}>{t(`photos.${one}`)}</option>
            ))}
          </select>
        </label>
      )}
    </>
  );
}

function ChosenFile({ chosen, isBusy, leave }: { chosen: Chosen; isBusy: boolean; leave: () => void }) {
  const { file, part, isPhoto } = chosen;
  const [url, setUrl] = useState<string | null>(null);
  const name = plain(file.name);
  const kind = kindOf(file.name);
  const isHeard = kind === 'sound' || kind === 'film';
  const isShown = isHeard || isPhoto;
  useEffect(() => {
    if (!isShown) return;
    const url = URL.createObjectURL(file);
    setUrl(url);
    return () => URL.revokeObjectURL(url);
  }, [file, isShown]);
  return (
    <li class={isHeard ? 'heard' : ''}>
      {url && isPhoto ? <img class="chosen-photo" src={url} alt="" /> : !isHeard && <Icon name="files" size={18} />}
      {url && isHeard ? <Player src={url} name={file.name} isFilm={kind === 'film'} /> : <bdi class="cut">{name}</bdi>}
      <small class="muted">{size(file.size)}</small>
      {part !== null && <Progress part={part} label={t('file.progress', { name })} />}
      <Button icon="close" label={t('compose.without', { name })} isIconOnly kind="quiet" disabled={isBusy} onClick={leave} />
    </li>
  );
}

// Plays a voice or a film in place.
import { useEffect, useRef, useState } from 'preact/hooks';
import { plain } from '../safe';
import { duration } from '../times';
import { t } from '../words';
import { Icon } from './icons';

/** What plays now; another one that begins ends it. */
let playing: HTMLMediaElement | null = null;

export function Player({ src, name, isFilm }: { src: string; name: string; isFilm: boolean }) {
  const media = useRef<HTMLVideoElement>(null);
  const [isPlaying, setPlaying] = useState(false);
  const [at, setAt] = useState(0);
  const [length, setLength] = useState(0);
  const [isBroken, setBroken] = useState(false);
  useEffect(() => {
    const element = media.current;
    if (!element) return;
    // What was recorded as it was spoken does not say how long it is; the end is looked for once.
    const measured = () => {
      if (element.duration === Infinity) {
        element.addEventListener('durationchange', measured, { once: true });
        element.currentTime = 1e7;
      } else {
        if (element.currentTime > 0 && element.paused) element.currentTime = 0;
        setLength(element.duration);
      }
    };
    if (element.readyState >= HTMLMediaElement.HAVE_METADATA) measured();
    else element.addEventListener('loadedmetadata', measured, { once: true });
    return () => {
      element.pause();
      if (playing === element) playing = null;
    };
  }, [src]);
  const turn = () => {
    const element = media.current;
    if (!element) return;
    if (!element.paused) return element.pause();
    if (playing && playing !== element) playing.pause();
    playing = element;
    element.play().catch(() => setBroken(true));
  };
  const events = {
    onPlay: () => setPlaying(true),
    onPause: () => setPlaying(false),
    onEnded: () => setPlaying(false),
    onTimeUpdate: () => setAt(media.current && Number.isFinite(media.current.duration) ? media.current.currentTime : 0),
    onError: () => setBroken(true),
  };
  const shown = plain(name);
  return (
    <div class={isFilm ? 'player film' : 'player'} role="group" aria-label={shown}>
      {isFilm ? (
        <video ref={media} src={src} preload="metadata" playsInline onClick={turn} {...events} />
      ) : (
        <audio ref={media as { current: HTMLVideoElement | null }} src={src} preload="metadata" {...events} />
      )}
      <div class="player-bar">
        <button type="button" class="play" aria-label={t(isPlaying ? 'player.pause' : 'player.play')} onClick={turn} disabled={isBroken}>
          <Icon name={isPlaying ? 'pause' : 'play'} />
        </button>
        <input
          type="range"
          min={0}
          max={Math.max(length, 0.01)}
          step={0.1}
          value={at}
          aria-label={t('player.place')}
          aria-valuetext={duration(at)}
          onInput={(event) => {
            if (media.current) media.current.currentTime = Number(event.currentTarget.value);
          }}
        />
        <span class="player-time">{duration(isPlaying || at > 0 ? at : length)}</span>
        <a class="button quiet icon-only" href={src} download={shown} aria-label={t('file.save', { name: shown })} title={t('file.save', { name: shown })}>
          <Icon name="download" size={18} />
        </a>
      </div>
      {isBroken && <p class="player-why warn">{t('player.broken')}</p>}
    </div>
  );
}

// A voice or video message: recorded, paused, listened to, thrown away, or made a file of the message that is written.
import { useEffect, useRef, useState } from 'preact/hooks';
import { keepFiles } from '../draft-files';
import { tell } from '../tell';
import { duration } from '../times';
import { t } from '../words';
import { Icon } from './icons';
import { Player } from './player';
import { Button } from './ui';

const FORMS = {
  sound: [
    ['audio/webm;codecs=opus', 'weba'],
    ['audio/mp4', 'm4a'],
    ['audio/ogg;codecs=opus', 'ogg'],
  ],
  film: [
    ['video/webm;codecs=vp9,opus', 'webm'],
    ['video/webm;codecs=vp8,opus', 'webm'],
    ['video/webm', 'webm'],
    ['video/mp4', 'mp4'],
  ],
} as const;

/** Speech is well understood with so much; a small film is too. */
const SOUND_BITS = 24_000;
const FILM_BITS = 500_000;
/** A recording ends by itself after so long. */
const SECONDS_MAX = 15 * 60;
/** So often what was said so far is kept, lest the page goes. */
const KEEP_SECONDS = 5;

export function Recorder({ what, place, done, discard }: { what: 'sound' | 'film'; place: string; done: (file: File) => void; discard: () => void }) {
  const [state, setState] = useState<'asking' | 'on' | 'paused' | 'over'>('asking');
  const [seconds, setSeconds] = useState(0);
  const [result, setResult] = useState<{ file: File; url: string } | null>(null);
  const view = useRef<HTMLVideoElement>(null);
  const recorder = useRef<MediaRecorder | null>(null);
  const stream = useRef<MediaStream | null>(null);
  /** It was taken or thrown away. */
  const isOver = useRef(false);

  useEffect(() => {
    let isGone = false;
    void begin();
    async function begin() {
      const form = FORMS[what].find(([type]) => 'MediaRecorder' in window && MediaRecorder.isTypeSupported(type));
      if (!form || !navigator.mediaDevices) {
        tell(t('recorder.cannot'), undefined, true);
        return discard();
      }
      try {
        const video = what === 'film' ? { width: { ideal: 640 }, height: { ideal: 480 }, frameRate: { ideal: 24 } } : false;
        const taken = await navigator.mediaDevices.getUserMedia({ audio: { echoCancellation: true, noiseSuppression: true }, video });
        if (isGone) return taken.getTracks().forEach((track) => track.stop());
        stream.current = taken;
      } catch {
        tell(t(what === 'film' ? 'recorder.no_camera' : 'recorder.no_microphone'), undefined, true);
        return discard();
      }
      if (view.current) view.current.srcObject = stream.current;
      const parts: Blob[] = [];
      const bits = what === 'film' ? { videoBitsPerSecond: FILM_BITS, audioBitsPerSecond: SOUND_BITS } : { audioBitsPerSecond: SOUND_BITS };
      const recording = new MediaRecorder(stream.current, { mimeType: form[0], ...bits });
      const name = nameOf(what, form[1]);
      const type = form[0].split(';')[0]!;
      recording.ondataavailable = ({ data }) => {
        parts.push(data);
        // Where it is paused or its place is left, the last part of a second comes at once.
        if (!isOver.current && (recording.state !== 'recording' || parts.length % KEEP_SECONDS === 0)) keepFiles(place, [new File(parts, name, { type })]);
      };
      recording.onstop = () => {
        stream.current?.getTracks().forEach((track) => track.stop());
        if (isGone || recorder.current !== recording) return;
        const file = new File(parts, name, { type });
        setResult({ file, url: URL.createObjectURL(file) });
        setState('over');
      };
      recorder.current = recording;
      recording.start(1000);
      setState('on');
    }
    return () => {
      isGone = true;
      if (recorder.current?.state !== 'inactive') recorder.current?.stop();
      stream.current?.getTracks().forEach((track) => track.stop());
    };
  }, [what]);
  useEffect(() => {
    if (state !== 'on') return;
    const timer = setInterval(() => setSeconds((past) => past + 1), 1000);
    return () => clearInterval(timer);
  }, [state]);
  useEffect(() => {
    if (seconds >= SECONDS_MAX && state === 'on') recorder.current?.stop();
  }, [seconds]);
  useEffect(() => () => void (result && URL.revokeObjectURL(result.url)), [result]);

  const pause = () => {
    if (state === 'on') {
      recorder.current?.pause();
      recorder.current?.requestData();
    } else recorder.current?.resume();
    setState(state === 'on' ? 'paused' : 'on');
  };
  const end = (then: () => void) => {
    isOver.current = true;
    keepFiles(place, []);
    then();
  };
  return (
    <div class="recorder" role="group" aria-label={t(what === 'film' ? 'recorder.film' : 'recorder.sound')}>
      {what === 'film' && state !== 'over' && <video class="recorder-view" ref={view} autoplay muted playsInline />}
      {result && <Player src={result.url} name={result.file.name} isFilm={what === 'film'} />}
      <div class="recorder-bar">
        <Button icon="trash" label={t('recorder.discard')} isIconOnly kind="quiet" onClick={() => end(discard)} />
        {state !== 'over' && (
          <span class={`recorder-time${state === 'on' ? ' on' : ''}`} role="timer">
            <Icon name="record" size={16} /> {state === 'asking' ? t('recorder.asking') : duration(seconds)}
            {state === 'paused' && ` ${t('recorder.paused')}`}
          </span>
        )}
        <span class="grow" />
        {(state === 'on' || state === 'paused') && (
          <>
            <Button icon={state === 'on' ? 'pause' : 'record'} label={t(state === 'on' ? 'recorder.pause' : 'recorder.on')} onClick={pause} />
            <Button icon="stop" label={t('recorder.stop')} kind="main" onClick={() => recorder.current?.stop()} />
          </>
        )}
        {state === 'over' && result && <Button icon="check" label={t('recorder.take')} kind="main" onClick={() => end(() => done(result.file))} />}
      </div>
    </div>
  );
}

function nameOf(what: 'sound' | 'film', ending: string): string {
  const now = new Date();
  const two = (n: number) => String(n).padStart(2, '0');
  const day = `${now.getFullYear()}-${two(now.getMonth() + 1)}-${two(now.getDate())}`;
  return `${what === 'film' ? 'video' : 'voice'} ${day} ${two(now.getHours())}.${two(now.getMinutes())}.${ending}`;
}

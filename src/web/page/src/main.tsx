// Where the page begins.
import { render } from 'preact';
import { openSession, takeLink } from './api';
import { beginToHold } from './drop';
import { install } from './installed';
import { beginToKeep } from './keep';
import { beginLock, isOpen, lock } from './lock';
import { beginToTell } from './notify';
import { beginToSend } from './outbox';
import { applyTheme } from './settings';
import { begin } from './store';
import { listen } from './stream';
import { Shell } from './view/shell';
import { takeWords } from './words';
import './style/base.css';
import './style/shell.css';

applyTheme();
const page = document.getElementById('page');
if (page) {
  beginLock();
  await takeWords();
  const link = takeLink();
  // Where the page is locked a new way in waits for the passphrase, too.
  if (link && lock.value !== 'locked') await openSession(link);
  else if (link) void isOpen().then(() => openSession(link));
  begin();
  beginToKeep();
  beginToSend();
  void install();
  beginToTell();
  beginToHold();
  listen();
  render(<Shell />, page);
}

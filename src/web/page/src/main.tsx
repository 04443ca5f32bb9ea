// Where the page begins.
import { render } from 'preact';
import { openSession } from './api';
import { beginToTell } from './notify';
import { applyTheme } from './settings';
import { begin } from './store';
import { listen } from './stream';
import { Shell } from './view/shell';
import './style/base.css';
import './style/shell.css';

applyTheme();
const page = document.getElementById('page');
if (page) {
  await openSession();
  begin();
  beginToTell();
  listen();
  render(<Shell />, page);
}

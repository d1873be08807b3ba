import { render } from 'preact';
import { App } from './app.js';
import { followCaller } from './api/me.js';
import { startConsole } from './start-console.js';
import { listenToKeys } from './keys.js';
import { followAddress } from './navigation.js';
import { applyTheme } from './preferences.js';

applyTheme();
await startConsole();
followCaller();
followAddress();
listenToKeys();
render(<App />, document.getElementById('app')!);

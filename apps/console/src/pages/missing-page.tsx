import { words } from '../words.js';

export const MissingPage = () => (
  <div class="page narrow">
    <h1 tabIndex={-1}>{words.missingPage}</h1>
    <p>{words.missingPageHint}</p>
    <p>
      <a href="#/">{words.toServers}</a>
    </p>
  </div>
);

import type { ComponentChildren } from 'preact';

function Icon({ children }: { readonly children: ComponentChildren }) {
  return (
    <svg
      class="icon"
      viewBox="0 0 16 16"
      aria-hidden="true"
      fill="none"
      stroke="currentColor"
      stroke-width="1.5"
      stroke-linecap="round"
      stroke-linejoin="round"
    >
      {children}
    </svg>
  );
}

export const SearchIcon = () => (
  <Icon>
    <circle cx="7" cy="7" r="4.25" />
    <path d="m10.3 10.3 3.2 3.2" />
  </Icon>
);

export const ExternalIcon = () => (
  <Icon>
    <path d="M6.5 3.5h-3v9h9v-3M9 3h4v4M12.6 3.4 7.5 8.5" />
  </Icon>
);

export const CopyIcon = () => (
  <Icon>
    <rect x="5.5" y="5.5" width="8" height="8" rx="1.5" />
    <path d="M10.5 5.5v-2a1 1 0 0 0-1-1h-6a1 1 0 0 0-1 1v6a1 1 0 0 0 1 1h2" />
  </Icon>
);

export const CheckIcon = () => (
  <Icon>
    <path d="m3 8.5 3.2 3.2L13 4.8" />
  </Icon>
);

export const BackIcon = () => (
  <Icon>
    <path d="M9.5 3.5 5 8l4.5 4.5" />
  </Icon>
);

export const SyncIcon = () => (
  <Icon>
    <path d="M13 8a5 5 0 0 1-8.9 3.1M3 8a5 5 0 0 1 8.9-3.1M12.2 2.4v2.7H9.5M3.8 13.6v-2.7h2.7" />
  </Icon>
);

export const HelpIcon = () => (
  <Icon>
    <circle cx="8" cy="8" r="5.75" />
    <path d="M6.4 6.3a1.65 1.65 0 1 1 2.3 1.6c-.5.25-.7.55-.7 1.1M8 11.2v.05" />
  </Icon>
);

export const AutoThemeIcon = () => (
  <Icon>
    <circle cx="8" cy="8" r="5.75" />
    <path d="M8 2.25v11.5a5.75 5.75 0 0 0 0-11.5Z" fill="currentColor" />
  </Icon>
);

export const LightThemeIcon = () => (
  <Icon>
    <circle cx="8" cy="8" r="2.75" />
    <path d="M8 1.5v1.2M8 13.3v1.2M1.5 8h1.2M13.3 8h1.2M3.4 3.4l.85.85M11.75 11.75l.85.85M12.6 3.4l-.85.85M4.25 11.75l-.85.85" />
  </Icon>
);

export const DarkThemeIcon = () => (
  <Icon>
    <path d="M13.3 9.6A5.6 5.6 0 0 1 6.4 2.7a5.6 5.6 0 1 0 6.9 6.9Z" />
  </Icon>
);

/** Symbols of the phases of a source. Each one is shown next to the name of its phase. */
export const CompleteIcon = () => (
  <Icon>
    <circle cx="8" cy="8" r="5.75" />
    <path d="m5.4 8.2 1.8 1.8 3.4-3.7" />
  </Icon>
);

export const FailedIcon = () => (
  <Icon>
    <path d="M8 2.4 14.2 13H1.8L8 2.4ZM8 6.4v3M8 11.2v.05" />
  </Icon>
);

export const WaitingIcon = () => (
  <Icon>
    <circle cx="8" cy="8" r="5.75" stroke-dasharray="2.2 2.3" />
  </Icon>
);

export const SyncingIcon = () => (
  <span class="turning">
    <SyncIcon />
  </span>
);

import type { ComponentChildren } from 'preact';
import { words } from '../words.js';

interface NoticeProps {
  readonly title: string;
  readonly children?: ComponentChildren;
}

/** Placeholder for an empty page, with a hint what to do. */
export const Notice = ({ title, children }: NoticeProps) => (
  <section class="notice">
    <h2>{title}</h2>
    {children}
  </section>
);

export const Loading = () => (
  <p class="loading" role="status">
    {words.loading}
  </p>
);

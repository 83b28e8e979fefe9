/** Our own small set of line icons, 16 × 16, drawn with the text's colour. */
const paths = {
  plus: "M8 3v10M3 8h10",
  search: "M7 12A5 5 0 1 0 7 2a5 5 0 0 0 0 10ZM10.8 10.8 14 14",
  menu: "M2.5 4.5h11M2.5 8h11M2.5 11.5h11",
  more: "M3.5 8h.01M8 8h.01M12.5 8h.01",
  close: "m4 4 8 8M12 4l-8 8",
  copy: "M5.5 5.5V3.7c0-.7.5-1.2 1.2-1.2h5.6c.7 0 1.2.5 1.2 1.2v5.6c0 .7-.5 1.2-1.2 1.2h-1.8M3.7 5.5h5.6c.7 0 1.2.5 1.2 1.2v5.6c0 .7-.5 1.2-1.2 1.2H3.7c-.7 0-1.2-.5-1.2-1.2V6.7c0-.7.5-1.2 1.2-1.2Z",
  check: "m3 8.5 3.2 3.2L13 5",
  retry: "M13 8a5 5 0 1 1-1.5-3.6M13 2.5v3h-3",
  pencil: "m3 13 .7-2.8 7.2-7.2c.4-.4 1-.4 1.4 0l.7.7c.4.4.4 1 0 1.4l-7.2 7.2L3 13Z",
  trash: "M3 4.5h10M6 4.5V3h4v1.5M4.3 4.5l.6 8.5h6.2l.6-8.5M6.8 7v3.8M9.2 7v3.8",
  archive: "M2.5 3.5h11v3h-11zM3.5 6.5V13h9V6.5M6.5 9h3",
  pin: "M8 10v4M5 10h6l-1-3V3.5h.8v-1H5.2v1H6V7l-1 3Z",
  settings: "M2.5 4.5h5M10.5 4.5h3M2.5 11.5h3M8.5 11.5h5M9 6.2a1.7 1.7 0 1 0 0-3.4 1.7 1.7 0 0 0 0 3.4ZM7 13.2a1.7 1.7 0 1 0 0-3.4 1.7 1.7 0 0 0 0 3.4Z",
  chevronDown: "m4 6 4 4 4-4",
  chevronLeft: "m10 3.5-4.5 4.5 4.5 4.5",
  chevronRight: "m6 3.5 4.5 4.5L6 12.5",
  arrowDown: "M8 3v10M4 9l4 4 4-4",
  arrowUp: "M8 13V3M4 7l4-4 4 4",
  stop: "M4.5 4.5h7v7h-7z",
  play: "M5 3.5v9l7-4.5-7-4.5Z",
  clock: "M8 14A6 6 0 1 0 8 2a6 6 0 0 0 0 12ZM8 5v3l2 1.5",
  warning: "M8 2.5 14 13H2L8 2.5ZM8 6.5v3M8 11.2h.01",
  key: "M9.5 9.5a3.5 3.5 0 1 0-3-3L2.5 10.5V13H5v-1.5h1.5V10l.7-.8M11 5h.01",
  computer: "M2.5 3.5h11v7h-11zM6 13h4M8 10.5V13",
  cloud: "M5 12.5a3 3 0 0 1-.4-6A3.8 3.8 0 0 1 12 7.2a2.7 2.7 0 0 1-.5 5.3H5Z",
  cloudUp: "M4.9 12.8a3.2 3.2 0 0 1-.4-6.4A4 4 0 0 1 12.2 7a2.9 2.9 0 0 1-.5 5.8H4.9ZM8 11V7.6M6.4 9.1 8 7.5l1.6 1.6",
  cloudDone: "M4.9 12.8a3.2 3.2 0 0 1-.4-6.4A4 4 0 0 1 12.2 7a2.9 2.9 0 0 1-.5 5.8H4.9ZM6 9.4l1.5 1.5 2.6-2.9",
  cloudOff: "M5.6 5.1a3.8 3.8 0 0 1 6.3 1.9 2.7 2.7 0 0 1 1.3 4.3M11 12.4H5a3 3 0 0 1-.4-5.9M2.8 2.8l10.6 10.6",
  cloudStuck: "M4.9 12.8a3.2 3.2 0 0 1-.4-6.4A4 4 0 0 1 12.2 7a2.9 2.9 0 0 1-.5 5.8H4.9ZM8 6.8v2.4M8 11h.01",
  sync: "M13 7.2A5.1 5.1 0 0 0 4 4.9L2.8 6.2M2.8 3v3.2H6M3 8.8a5.1 5.1 0 0 0 9 2.3l1.2-1.3M13.2 13V9.8H10",
  person: "M8 8.2a2.9 2.9 0 1 0 0-5.8 2.9 2.9 0 0 0 0 5.8ZM2.8 13.6c.4-2.3 2.5-3.6 5.2-3.6s4.8 1.3 5.2 3.6",
  download: "M8 2.5v7.5M4.7 7 8 10.3 11.3 7M3 13h10",
  pause: "M5.5 3.5v9M10.5 3.5v9",
  folder: "M2.5 12.5v-9h4l1.5 2h5.5v7h-11Z",
  restore: "M3 8a5 5 0 1 0 1.5-3.6L3 6M3 2.8V6h3.2",
  duplicate: "M5.5 2.5h8v8h-8zM2.5 5.5v8h8",
  export: "M8 10V2.5M4.7 5.8 8 2.5l3.3 3.3M3 10v3h10v-3",
  sidebar: "M2.5 3h11v10h-11zM6.3 3v10",
  sun: "M8 11a3 3 0 1 0 0-6 3 3 0 0 0 0 6ZM8 1.5v1.3M8 13.2v1.3M1.5 8h1.3M13.2 8h1.3M3.4 3.4l.9.9M11.7 11.7l.9.9M12.6 3.4l-.9.9M4.3 11.7l-.9.9",
  keyboard: "M1.8 4h12.4v8H1.8zM4.5 6.5h.01M7 6.5h.01M9.5 6.5h.01M12 6.5h.01M5 9.5h6",
  info: "M8 14A6 6 0 1 0 8 2a6 6 0 0 0 0 12ZM8 7.5V11M8 5.2h.01",
  branch: "M4.5 5.5v5M4.5 5.5a1.5 1.5 0 1 0 0-3 1.5 1.5 0 0 0 0 3ZM4.5 13.5a1.5 1.5 0 1 0 0-3 1.5 1.5 0 0 0 0 3ZM11.5 5.5a1.5 1.5 0 1 0 0-3 1.5 1.5 0 0 0 0 3ZM11.5 5.5c0 3-3.5 2.5-6.4 4.2",
} as const;

export type IconName = keyof typeof paths;

export function Icon({ name, size = 16 }: { name: IconName; size?: number }) {
  return (
    <svg
      aria-hidden="true"
      className="icon"
      fill={name === "stop" ? "currentColor" : "none"}
      height={size}
      stroke="currentColor"
      strokeLinecap="round"
      strokeLinejoin="round"
      strokeWidth={name === "more" ? 2.2 : 1.4}
      viewBox="0 0 16 16"
      width={size}
    >
      <path d={paths[name]} />
    </svg>
  );
}

/** The mark: a waterline, one stroke that rises. */
export function Mark({ size = 22 }: { size?: number }) {
  return (
    <svg aria-hidden="true" className="mark" fill="none" height={size} strokeLinecap="round" strokeWidth="2" viewBox="0 0 22 22" width={size}>
      <path className="mark-line" d="M3 7h16" />
      <path className="mark-wave" d="M3 14c2.7 0 2.7-2 5.3-2s2.7 2 5.4 2 2.6-2 5.3-2" />
    </svg>
  );
}

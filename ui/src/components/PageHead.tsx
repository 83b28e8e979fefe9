import type { ReactNode } from "react";
import { SHORTCUTS } from "../keys/registry";
import { show, useView } from "../store/view";
import { text } from "../text";
import { IconButton } from "./Button";

/** The line above a page: its title, and the way back to the sidebar where that is hidden. */
export function PageHead({ title, children }: { title: string; children?: ReactNode }) {
  const open = useView((state) => state.sidebarOpen);
  return (
    <header className="page-head">
      {!open && <IconButton icon="sidebar" label={text.sidebar.show} onClick={() => show.sidebar(true)} shortcut={SHORTCUTS.sidebar.keys} />}
      <h1 className="page-title">{title}</h1>
      {children}
    </header>
  );
}

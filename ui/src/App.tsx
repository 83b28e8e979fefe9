/** The window: opens the mirror, then shows one view beside the sidebar. */
import { useQuery } from "@tanstack/react-query";
import { lazy, Suspense, useEffect } from "react";
import * as bridge from "./bridge";
import { Toasts } from "./components";
import { useShortcuts } from "./keys/useShortcuts";
import { MarkdownActionsProvider } from "./markdown";
import { act } from "./store/act";
import { listen } from "./store/client";
import { keys } from "./store/keys";
import { isString, useSetting } from "./store/queries";
import { show, useNarrow, useView } from "./store/view";
import { text } from "./text";
import { useUndoToasts } from "./store/undo";
import { Chat } from "./views/thread/Chat";
import { Locked, SalvageNotice } from "./views/locked";
import { Sidebar } from "./views/sidebar/Sidebar";
import { useImportEnd } from "./views/import/useImportEnd";
import { isOnPage, useDropped } from "./views/import/useDropped";

const SettingsView = lazy(() => import("./views/settings"));
const SearchView = lazy(() => import("./views/search"));
const ShelfView = lazy(() => import("./views/trash"));
const FirstRun = lazy(() => import("./views/first-run"));
const Palette = lazy(() => import("./views/palette"));
const Shortcuts = lazy(() => import("./views/shortcuts"));

// Links and pictures alike open in the browser, after a click and the check in Rust.
const openLink = (url: string) => act(() => bridge.openLink(url));

export function App() {
  useEffect(listen, []);
  const state = useQuery<bridge.AppState, bridge.Failure>({ queryKey: keys.app, queryFn: bridge.appState });
  // Nothing is drawn for the moment that opening takes: the window already has its colour.
  if (state.isPending) return null;
  if (state.isError) return <Locked state={{ at: "failed", failure: state.error, data_dir: "" }} />;
  if (state.data.at !== "ready") return <Locked state={state.data} />;
  return (
    <MarkdownActionsProvider onLoadImage={openLink} openLink={openLink}>
      <Theme />
      {state.data.first_run_done ? (
        <Ready salvaged={state.data.salvaged} />
      ) : (
        <Suspense>
          <FirstRun state={state.data} />
        </Suspense>
      )}
      <Toasts />
    </MarkdownActionsProvider>
  );
}

function Ready({ salvaged }: { salvaged: bridge.SalvageReport | null }) {
  useShortcuts();
  useUndoToasts();
  useImportEnd();
  useDropped(isOnPage);
  const view = useView((state) => state.view);
  const overlay = useView((state) => state.overlay);
  const open = useView((state) => state.sidebarOpen);
  const narrow = useNarrow();
  useEffect(() => show.sidebar(!narrow), [narrow]);
  return (
    <div className={open && !narrow ? "app" : "app app-closed"}>
      {open && narrow && <button aria-label={text.sidebar.hide} className="drawer-scrim" onClick={() => show.sidebar(false)} type="button" />}
      {open && <Sidebar />}
      <main className="main">
        {salvaged && <SalvageNotice report={salvaged} />}
        {view.at === "chat" && <Chat id={view.id} target={view.target} visit={view.visit} />}
        <Suspense>
          {view.at === "search" && <SearchView />}
          {view.at === "archive" && <ShelfView shelf="archived" />}
          {view.at === "trash" && <ShelfView shelf="trash" />}
          {view.at === "settings" && <SettingsView page={view.page} />}
        </Suspense>
      </main>
      <Suspense>
        {overlay === "palette" && <Palette />}
        {overlay === "shortcuts" && <Shortcuts />}
      </Suspense>
    </div>
  );
}

/** The theme that the person chose, on the document's root. */
function Theme() {
  const theme = useSetting("theme", isString, "system");
  useEffect(() => {
    if (theme === "system") delete document.documentElement.dataset.theme;
    else document.documentElement.dataset.theme = theme;
  }, [theme]);
  return null;
}

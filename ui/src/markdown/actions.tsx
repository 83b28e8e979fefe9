/** What the renderer asks of the app: opening, loading and copying all happen elsewhere. */
import { createContext, type ReactNode, useContext, useLayoutEffect, useRef, useState } from "react";

export type MarkdownActions = {
  /** Opens an address that passed `safeLink`. Without it, links do nothing. */
  openLink?: ((url: string) => void) | undefined;
  /** Loads a picture. Without it, a click shows the address. */
  onLoadImage?: ((url: string) => void) | undefined;
  /** Puts text on the clipboard; the web view's own clipboard when absent. */
  copyText?: ((text: string) => Promise<void>) | undefined;
};

const Actions = createContext<MarkdownActions>({});

/** Gives every `<Markdown>` below the same actions; its own props win. */
export function MarkdownActionsProvider(props: MarkdownActions & { children: ReactNode }) {
  const { children, ...actions } = props;
  return <StableActions actions={actions}>{children}</StableActions>;
}

/** Keeps one context value for ever, so that new callbacks do not redraw settled blocks. */
export function StableActions({ actions, children }: { actions: MarkdownActions; children: ReactNode }) {
  const outer = useContext(Actions);
  const latest = useRef<MarkdownActions>(actions);
  const outerLatest = useRef(outer);
  useLayoutEffect(() => {
    latest.current = actions;
    outerLatest.current = outer;
  });
  const [value] = useState<MarkdownActions>(() => ({
    get openLink() {
      return latest.current.openLink ?? outerLatest.current.openLink;
    },
    get onLoadImage() {
      return latest.current.onLoadImage ?? outerLatest.current.onLoadImage;
    },
    get copyText() {
      return latest.current.copyText ?? outerLatest.current.copyText;
    },
  }));
  return <Actions.Provider value={value}>{children}</Actions.Provider>;
}

export function useMarkdownActions(): MarkdownActions {
  return useContext(Actions);
}

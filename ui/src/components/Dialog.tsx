import { Dialog as Base } from "@base-ui/react/dialog";
import { type ReactNode, useRef } from "react";
import { text } from "../text";
import { IconButton } from "./Button";

type Props = {
  open: boolean;
  onClose: () => void;
  title: string;
  /** Hidden where the content says it by itself. */
  hideTitle?: boolean;
  width?: "narrow" | "normal" | "wide";
  children: ReactNode;
  footer?: ReactNode;
};

/** What a dialog is about takes the focus first, not the button that closes it. */
const FIRST = ".dialog-body :is(input, textarea, select, button, summary), .dialog-foot button, input";
const first = (popup: HTMLElement | null) => popup?.querySelector<HTMLElement>("[data-first]") ?? popup?.querySelector<HTMLElement>(FIRST) ?? popup;

/** A modal dialog: focus stays inside, Escape and a click outside close it, focus goes back. */
export function Dialog({ open, onClose, title, hideTitle = false, width = "normal", children, footer }: Props) {
  const popup = useRef<HTMLDivElement>(null);
  return (
    <Base.Root onOpenChange={(next) => !next && onClose()} open={open}>
      <Base.Portal>
        <Base.Backdrop className="backdrop" />
        <Base.Popup className={`dialog dialog-${width}`} initialFocus={() => first(popup.current)} ref={popup}>
          <div className={hideTitle ? "visually-hidden" : "dialog-head"}>
            <Base.Title className="dialog-title">{title}</Base.Title>
            {!hideTitle && <IconButton icon="close" label={text.close} onClick={onClose} size="small" />}
          </div>
          {children}
          {footer && <div className="dialog-foot">{footer}</div>}
        </Base.Popup>
      </Base.Portal>
    </Base.Root>
  );
}

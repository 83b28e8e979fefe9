import { Popover as Base } from "@base-ui/react/popover";
import { type ReactElement, type ReactNode, useRef } from "react";

type Props = {
  trigger: ReactElement;
  /** Its accessible name. */
  label: string;
  open: boolean;
  onOpenChange: (open: boolean) => void;
  side?: "top" | "bottom";
  align?: "start" | "center" | "end";
  children: ReactNode;
};

/** A small panel beside a button: Escape and a click elsewhere close it, the focus goes back. */
export function Popover({ trigger, label, open, onOpenChange, side = "bottom", align = "start", children }: Props) {
  const popup = useRef<HTMLDivElement>(null);
  return (
    <Base.Root onOpenChange={onOpenChange} open={open}>
      <Base.Trigger render={trigger} />
      <Base.Portal>
        <Base.Positioner align={align} className="layer" collisionPadding={12} side={side} sideOffset={8}>
          {/* The panel takes the focus, not its first button: it is read before anything is done. */}
          <Base.Popup aria-label={label} className="popover" initialFocus={popup} ref={popup} tabIndex={-1}>
            {children}
          </Base.Popup>
        </Base.Positioner>
      </Base.Portal>
    </Base.Root>
  );
}

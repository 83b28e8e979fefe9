import { Menu as Base } from "@base-ui/react/menu";
import type { ReactElement, ReactNode } from "react";
import { Icon, type IconName } from "./icons";
import { Kbd } from "./Kbd";

type MenuProps = {
  trigger: ReactElement;
  children: ReactNode;
  align?: "start" | "center" | "end";
  side?: "top" | "bottom";
  open?: boolean;
  onOpenChange?: (open: boolean) => void;
  label?: string;
};

/** A menu behind a button. */
export function Menu({ trigger, children, align = "end", side = "bottom", open, onOpenChange, label }: MenuProps) {
  return (
    <Base.Root {...(open !== undefined && { open })} {...(onOpenChange && { onOpenChange })}>
      <Base.Trigger render={trigger} />
      <Base.Portal>
        <Base.Positioner align={align} className="layer" side={side} sideOffset={4}>
          <Base.Popup aria-label={label} className="menu">
            {children}
          </Base.Popup>
        </Base.Positioner>
      </Base.Portal>
    </Base.Root>
  );
}

type ItemProps = {
  icon?: IconName;
  shortcut?: string;
  danger?: boolean;
  disabled?: boolean;
  /** A second line, such as why it cannot be chosen. */
  note?: ReactNode;
  onSelect: () => void;
  children: ReactNode;
};

export function MenuItem({ icon, shortcut, danger = false, disabled = false, note, onSelect, children }: ItemProps) {
  return (
    <Base.Item className={danger ? "menu-item menu-danger" : "menu-item"} disabled={disabled} onClick={onSelect}>
      {icon ? <Icon name={icon} /> : null}
      <span className="menu-text">
        <span>{children}</span>
        {note && <span className="menu-note">{note}</span>}
      </span>
      {shortcut && <Kbd keys={shortcut} />}
    </Base.Item>
  );
}

export const MenuLine = () => <Base.Separator className="menu-line" />;

export function MenuHeading({ children }: { children: ReactNode }) {
  return <div className="menu-heading">{children}</div>;
}

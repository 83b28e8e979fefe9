/** Buttons: with a word, or with an icon and a name. */
import type { ButtonHTMLAttributes, ReactNode, Ref } from "react";
import { shownKeys } from "../keys/registry";
import { Icon, type IconName } from "./icons";
import { Tooltip } from "./Tooltip";

type ButtonProps = Omit<ButtonHTMLAttributes<HTMLButtonElement>, "className"> & {
  tone?: "plain" | "primary" | "quiet" | "danger" | "link";
  size?: "small" | "normal";
  icon?: IconName;
  children: ReactNode;
  ref?: Ref<HTMLButtonElement>;
};

export function Button({ tone = "plain", size = "normal", icon, children, ...rest }: ButtonProps) {
  return (
    <button className={`button button-${tone} button-${size}`} type="button" {...rest}>
      {icon && <Icon name={icon} size={size === "small" ? 14 : 16} />}
      {children}
    </button>
  );
}

type IconButtonProps = Omit<ButtonHTMLAttributes<HTMLButtonElement>, "className" | "aria-label"> & {
  icon: IconName;
  /** What it does: its accessible name, and its tooltip. */
  label: string;
  /** The keys that do the same. */
  shortcut?: string | undefined;
  size?: "small" | "normal";
  /** The system's own tooltip: for buttons of which there are hundreds. */
  light?: boolean;
  ref?: Ref<HTMLButtonElement>;
};

export function IconButton({ icon, label, shortcut, size = "normal", light = false, ...rest }: IconButtonProps) {
  const title = light ? [label, shortcut && shownKeys(shortcut)].filter(Boolean).join("  ") : undefined;
  const button = (
    <button aria-label={label} className={`icon-button icon-button-${size}`} title={title} type="button" {...rest}>
      <Icon name={icon} />
    </button>
  );
  if (light) return button;
  return (
    <Tooltip label={label} shortcut={shortcut}>
      {button}
    </Tooltip>
  );
}

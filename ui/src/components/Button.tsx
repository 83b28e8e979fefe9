/** Buttons: with a word, or with an icon and a name. */
import type { ButtonHTMLAttributes, ReactNode, Ref } from "react";
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
  ref?: Ref<HTMLButtonElement>;
};

export function IconButton({ icon, label, shortcut, size = "normal", ...rest }: IconButtonProps) {
  return (
    <Tooltip label={label} shortcut={shortcut}>
      <button aria-label={label} className={`icon-button icon-button-${size}`} type="button" {...rest}>
        <Icon name={icon} />
      </button>
    </Tooltip>
  );
}

/** What a list, a pane or a dialog shows when it has nothing, waits, or failed. */
import type { ReactNode } from "react";
import type { Failure } from "../bridge";
import { text } from "../text";
import { Button } from "./Button";
import { Icon, type IconName } from "./icons";

export function EmptyState({ icon, title, children }: { icon?: IconName; title: string; children?: ReactNode }) {
  return (
    <div className="empty">
      {icon && (
        <span className="empty-icon">
          <Icon name={icon} size={24} />
        </span>
      )}
      <h2 className="empty-title">{title}</h2>
      {children && <div className="empty-text">{children}</div>}
    </div>
  );
}

export function FailureState({ failure, onRetry }: { failure: Failure; onRetry?: (() => void) | undefined }) {
  return (
    <div className="empty" role="alert">
      <span className="empty-icon empty-warning">
        <Icon name="warning" size={24} />
      </span>
      <h2 className="empty-title">{failure.message}</h2>
      {failure.hint && <p className="empty-text">{failure.hint}</p>}
      {onRetry && <Button onClick={onRetry}>{text.tryAgain}</Button>}
    </div>
  );
}

/** A failure beside what it concerns. */
export function Banner({ tone = "plain", children, action }: { tone?: "plain" | "warning" | "failure"; children: ReactNode; action?: ReactNode }) {
  return (
    <div className={`banner banner-${tone}`} role={tone === "failure" ? "alert" : undefined}>
      <Icon name={tone === "plain" ? "info" : "warning"} />
      <div className="banner-text">{children}</div>
      {action}
    </div>
  );
}

/** Lines where text will be; shown only when it takes longer than a moment (by its CSS). */
export function Skeleton({ lines }: { lines: number }) {
  return (
    <div aria-busy="true" className="skeleton">
      {Array.from({ length: lines }, (_, line) => (
        <div className={`skeleton-line skeleton-${line % 3}`} key={line} />
      ))}
    </div>
  );
}

import { useEffect } from "react";
import { text } from "../text";
import { type Toast, toast, useToasts } from "../store/toast";
import { Button, IconButton } from "./Button";

const SHOWN_MS = 7000;

/** What was just done, with a way back; failures stay until they are dismissed. */
export function Toasts() {
  const toasts = useToasts();
  return (
    <section aria-label={text.notifications} className="toasts">
      {toasts.map((one) => (
        <ToastCard key={one.id} one={one} />
      ))}
    </section>
  );
}

function ToastCard({ one }: { one: Toast }) {
  const { id, tone, action } = one;
  useEffect(() => {
    if (tone === "failure") return;
    const timer = setTimeout(() => toast.dismiss(id), SHOWN_MS);
    return () => clearTimeout(timer);
  }, [id, tone]);
  return (
    <div className={`toast toast-${tone}`} role={tone === "failure" ? "alert" : "status"}>
      <div className="toast-text">
        {one.text}
        {one.hint && <div className="toast-hint">{one.hint}</div>}
      </div>
      {action && (
        <Button
          onClick={() => {
            toast.dismiss(id);
            action.run();
          }}
          size="small"
          tone="link"
        >
          {action.label}
        </Button>
      )}
      <IconButton icon="close" label={text.dismiss} onClick={() => toast.dismiss(id)} size="small" />
    </div>
  );
}

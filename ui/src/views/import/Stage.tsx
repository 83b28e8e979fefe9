import { type ReactNode, useEffect, useId, useRef } from "react";

type Props = { title: string; about?: ReactNode; children: ReactNode };

/** One step: it takes the focus when a person comes to it, so that it is read from its beginning. */
export function Stage({ title, about, children }: Props) {
  const id = useId();
  const head = useRef<HTMLHeadingElement>(null);
  useEffect(() => {
    const here = document.activeElement;
    // What was clicked is gone with the step before; whoever is elsewhere is left there.
    if (here === null || here === document.body) head.current?.focus({ preventScroll: true });
    head.current?.scrollIntoView?.({ block: "nearest" });
  }, []);
  return (
    <section aria-labelledby={id} className="import-stage">
      <div>
        <h3 className="import-title" id={id} ref={head} tabIndex={-1}>
          {title}
        </h3>
        {about && <div className="setting-about import-about">{about}</div>}
      </div>
      {children}
    </section>
  );
}

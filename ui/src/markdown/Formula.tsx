import { memo, useEffect, useReducer } from "react";
import { formula, formulasReady, loadFormulas } from "./formula";
import { markdownText as text } from "./strings";

/** A formula; its source until KaTeX is there, and for good when KaTeX cannot read it. */
export const FormulaText = memo(function FormulaText({ value, display }: { value: string; display: boolean }) {
  const [, redraw] = useReducer((count: number) => count + 1, 0);
  const ready = formulasReady();
  useEffect(() => {
    if (ready) return;
    let here = true;
    loadFormulas().then(() => here && redraw(), () => undefined); // without KaTeX the source stays
    return () => {
      here = false;
    };
  }, [ready]);
  const drawn = formula(value, display);
  if (drawn?.ok) return <span className="md-math" dir="ltr">{drawn.node}</span>;
  const title = drawn ? text.formulaNotRead : undefined;
  return <code className={display ? "md-math-source md-math-display" : "md-math-source"} dir="ltr" title={title}>{value}</code>;
});

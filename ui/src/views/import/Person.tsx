import { useId } from "react";

type Props = { label: string; facts: string[]; checked: boolean; disabled?: boolean; onChange: (checked: boolean) => void };

/** A box to tick with somebody's name, and what is known of them. */
export function Person({ label, facts, checked, disabled = false, onChange }: Props) {
  const id = useId();
  return (
    <div className="choice import-person" data-checked={checked || undefined}>
      <input aria-describedby={`${id}-about`} checked={checked} disabled={disabled} id={id} onChange={(event) => onChange(event.target.checked)} type="checkbox" />
      <label className="choice-label" dir="auto" htmlFor={id}>
        {label}
      </label>
      <p className="choice-about import-facts" id={`${id}-about`}>
        {facts.map((fact) => (
          <span key={fact}>{fact}</span>
        ))}
      </p>
    </div>
  );
}

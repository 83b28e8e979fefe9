import { useId } from "react";

type Props = {
  label: string;
  /** What it means. */
  about: string;
  checked: boolean;
  onChange: (checked: boolean) => void;
  /** The name that radio buttons of one choice share; without one it is a box to tick. */
  group?: string;
};

/** A box to tick, or one of a few, with what it means below it. */
export function Choice({ label, about, checked, onChange, group }: Props) {
  const id = useId();
  return (
    <div className={group === undefined ? "choice choice-plain" : "choice"}>
      <input
        aria-describedby={`${id}-about`}
        checked={checked}
        id={id}
        name={group}
        onChange={(event) => onChange(event.target.checked)}
        type={group === undefined ? "checkbox" : "radio"}
      />
      <label className="choice-label" htmlFor={id}>
        {label}
      </label>
      <p className="choice-about" id={`${id}-about`}>
        {about}
      </p>
    </div>
  );
}

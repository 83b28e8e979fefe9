import { type InputHTMLAttributes, type Ref, useState } from "react";
import { Button, Field } from "../../components";
import { text } from "../../text";

type Props = Omit<InputHTMLAttributes<HTMLInputElement>, "className" | "type" | "onChange" | "value"> & {
  label: string;
  value: string;
  onChange: (value: string) => void;
  hint?: string | undefined;
  error?: string | null | undefined;
  ref?: Ref<HTMLInputElement>;
};

/** A field whose text is hidden until the person asks to see it. */
export function SecretField({ label, value, onChange, hint, error, ref, ...rest }: Props) {
  const [shown, setShown] = useState(false);
  return (
    <Field error={error} hint={hint} label={label}>
      {({ id, describedBy }) => (
        <div className="secret">
          <input
            {...rest}
            aria-describedby={describedBy}
            aria-invalid={error ? true : undefined}
            autoCapitalize="off"
            autoComplete="off"
            className="input"
            id={id}
            onChange={(event) => onChange(event.target.value)}
            ref={ref}
            spellCheck={false}
            type={shown ? "text" : "password"}
            value={value}
          />
          <Button aria-pressed={shown} onClick={() => setShown(!shown)} size="small" tone="quiet">
            {shown ? text.locked.hide : text.locked.show}
          </Button>
        </div>
      )}
    </Field>
  );
}

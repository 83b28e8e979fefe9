import { type InputHTMLAttributes, type ReactNode, type Ref, useId } from "react";

type FieldProps = { label: string; hint?: ReactNode; error?: string | null | undefined; children: (ids: { id: string; describedBy: string }) => ReactNode };

/** A label, a control, and what is to be known of it. */
export function Field({ label, hint, error, children }: FieldProps) {
  const id = useId();
  const describedBy = `${id}-about`;
  return (
    <div className="field">
      <label className="field-label" htmlFor={id}>
        {label}
      </label>
      {children({ id, describedBy })}
      <div className="field-hint" id={describedBy}>
        {error ? (
          <span className="field-error" role="alert">
            {error}
          </span>
        ) : (
          hint
        )}
      </div>
    </div>
  );
}

type InputProps = Omit<InputHTMLAttributes<HTMLInputElement>, "className"> & {
  label: string;
  hint?: ReactNode;
  error?: string | null | undefined;
  ref?: Ref<HTMLInputElement>;
};

/** A field with one line of text. */
export function TextField({ label, hint, error, ref, ...rest }: InputProps) {
  return (
    <Field error={error} hint={hint} label={label}>
      {({ id, describedBy }) => (
        <input aria-describedby={describedBy} aria-invalid={error ? true : undefined} className="input" id={id} ref={ref} type="text" {...rest} />
      )}
    </Field>
  );
}

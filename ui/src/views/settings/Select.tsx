import { Icon } from "../../components";

type Option = { value: string; label: string; disabled?: boolean };
type Props = { label: string; value: string; groups: { label: string; options: Option[] }[]; onChange: (value: string) => void };

/** One of many, in groups: the system's own list. */
export function Select({ label, value, groups, onChange }: Props) {
  return (
    <span className="select">
      <select aria-label={label} className="input" onChange={(event) => onChange(event.target.value)} value={value}>
        {groups.map((group) => (
          <optgroup key={group.label} label={group.label}>
            {group.options.map((option) => (
              <option disabled={option.disabled ?? false} key={option.value} value={option.value}>
                {option.label}
              </option>
            ))}
          </optgroup>
        ))}
      </select>
      <Icon name="chevronDown" />
    </span>
  );
}

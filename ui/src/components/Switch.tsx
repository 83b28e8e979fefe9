import { Switch as Base } from "@base-ui/react/switch";

export function Switch({ checked, onChange, label }: { checked: boolean; onChange: (checked: boolean) => void; label: string }) {
  return (
    <Base.Root aria-label={label} checked={checked} className="switch" onCheckedChange={onChange}>
      <Base.Thumb className="switch-thumb" />
    </Base.Root>
  );
}

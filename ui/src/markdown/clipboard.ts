/** Puts text on the clipboard of the web view, also where the asynchronous interface is refused. */
export async function copyToClipboard(value: string): Promise<void> {
  try {
    await navigator.clipboard.writeText(value);
  } catch {
    if (!copyBySelection(value)) throw new Error("The web view refused the clipboard.");
  }
}

/** The old way: it needs only the click that is being handled. */
function copyBySelection(value: string): boolean {
  const focused = document.activeElement;
  const area = document.createElement("textarea");
  area.value = value;
  area.className = "md-clipboard";
  area.setAttribute("aria-hidden", "true");
  document.body.append(area);
  area.select();
  const copied = document.execCommand("copy");
  area.remove();
  if (focused instanceof HTMLElement) focused.focus({ preventScroll: true });
  return copied;
}

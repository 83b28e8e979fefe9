/** Makes a text area as high as its text, up to `most` pixels. (WebKitGTK 2.50 has no `field-sizing`.) */
export function fit(area: HTMLTextAreaElement, most: number): void {
  area.style.height = "auto";
  area.style.height = `${Math.min(area.scrollHeight, most)}px`;
  area.style.overflowY = area.scrollHeight > most ? "auto" : "hidden";
}

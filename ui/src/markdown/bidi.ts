/**
 * Direction controls in a text (U+202A–E, U+2066–9), kept from reaching their neighbours.
 *
 * A text that holds one is drawn inside its own `<bdi>`; here it is made balanced, so that it can
 * neither leave something open nor close what is not its own.
 */
const CONTROLS = /[\u202a-\u202e\u2066-\u2069]/;
const PDF = "\u202c";
const PDI = "\u2069";

export function hasBidiControls(text: string): boolean {
  return CONTROLS.test(text);
}

/** Drops closers without an opener and closes what is still open at the end. */
export function balanceBidi(text: string): string {
  const open: string[] = [];
  let out = "";
  for (const char of text) {
    if (char === PDF || char === PDI) {
      if (open[open.length - 1] !== char) continue;
      open.pop();
    } else if (CONTROLS.test(char)) open.push(char >= "\u2066" ? PDI : PDF);
    out += char;
  }
  return out + open.toReversed().join("");
}

/** Code is shown with every such control visible: "U+202E". */
export function splitControls(text: string): string[] {
  return text.split(/([\u202a-\u202e\u2066-\u2069])/);
}

export function controlName(char: string): string {
  return `U+${(char.codePointAt(0) ?? 0).toString(16).toUpperCase()}`;
}

/**
 * Which addresses may be opened, and which text would disguise one.
 *
 * Only `https:` and `mailto:` pass, and only when written plainly: an address with a blank, a control
 * or an invisible character, a backslash or a user name before the host is refused, never repaired.
 * Rust checks again before it opens anything.
 */

/** Blanks, controls, backslashes, and characters that are invisible or change the direction. */
const UNSAFE = /[\p{C}\p{Z}\p{Default_Ignorable_Code_Point}\\]/u;
const MAILTO_FIELDS = new Set(["subject", "body", "cc", "bcc"]);
const LONGEST = 2_048;

/** The address as it will be opened, or null when it may not be. */
export function safeLink(url: string): string | null {
  if (url.length > LONGEST || UNSAFE.test(url)) return null;
  if (/^https:\/\//i.test(url)) return safeHttps(url);
  return /^mailto:/i.test(url) ? safeMailto(url) : null;
}

function safeHttps(url: string): string | null {
  const parsed = parse(url);
  if (!parsed || parsed.protocol !== "https:" || parsed.hostname === "") return null;
  return parsed.username === "" && parsed.password === "" ? parsed.href : null;
}

/** `attach` and the like would let a link pick a file, so only harmless fields pass. */
function safeMailto(url: string): string | null {
  const parsed = parse(url);
  if (!parsed || parsed.protocol !== "mailto:" || !/^[^\s@/?#]+@[^\s@/?#]+$/.test(parsed.pathname)) return null;
  const fields = [...parsed.searchParams.keys()];
  return fields.every((field) => MAILTO_FIELDS.has(field.toLowerCase())) ? parsed.href : null;
}

function parse(url: string): URL | null {
  try {
    return new URL(url);
  } catch {
    return null;
  }
}

/** The host that an `https:` address leads to. */
export function hostOf(url: string): string {
  return parse(url)?.hostname ?? "";
}

/**
 * The host to show beside a link whose text names another one, or null.
 *
 * `[https://bank.example](https://evil.example)` must say where it leads.
 */
export function disguisedHost(text: string, href: string): string | null {
  const host = hostOf(href);
  const named = /^\s*(?:https?:\/\/)?(?:[^\s/@]*@)?((?:[\p{L}\p{N}-]+\.)+[\p{L}]{2,})(?=[\s/:?#]|$)/iu.exec(text)?.[1];
  if (host === "" || named === undefined) return null;
  const said = hostOf(`https://${named}`);
  return said === host || `www.${said}` === host || said === `www.${host}` ? null : host;
}

/** An address cut to what fits in a line. */
export function shortUrl(url: string): string {
  return url.length > 120 ? `${url.slice(0, 119)}…` : url;
}

// Finds what a person (or a screen reader) would call `name`, of the given role, among what is
// shown. arguments: role, name (null for any), "is" or "has". Returns elements in document order.
//
// The names are worked out as in "Accessible Name and Description Computation 1.2", as far as the
// app's own elements need it; a spec compares them with the accessibility tree of the web view.
const [role, name, how] = arguments;

const SELECTORS = {
  alert: "",
  article: "article",
  button: "button, summary, input[type=button], input[type=submit]",
  checkbox: "input[type=checkbox]",
  combobox: "select",
  dialog: "dialog",
  heading: "h1, h2, h3, h4, h5, h6",
  link: "a[href]",
  list: "ul, ol",
  listitem: "li",
  log: "",
  main: "main",
  menu: "",
  menuitem: "",
  navigation: "nav",
  option: "option",
  radio: "input[type=radio]",
  region: "section[aria-label], section[aria-labelledby]",
  searchbox: "input[type=search]",
  status: "output",
  switch: "",
  tab: "",
  textbox: "textarea, input:not([type]), input[type=text], input[type=email], input[type=password], input[type=url], [contenteditable=true]",
};

const clean = (text) => (text ?? "").replace(/\s+/g, " ").trim();

function shown(element) {
  if (element.closest("[aria-hidden=true], [inert]")) return false;
  if (!element.getClientRects().length) return false;
  const style = getComputedStyle(element);
  return style.visibility === "visible";
}

function text(node) {
  if (node.nodeType === Node.TEXT_NODE) return node.data;
  if (node.nodeType !== Node.ELEMENT_NODE) return "";
  if (node.getAttribute("aria-hidden") === "true" || node.hidden) return "";
  const label = node.getAttribute("aria-label");
  if (label) return label;
  if (node instanceof HTMLImageElement) return node.alt;
  return [...node.childNodes].map(text).join(" ");
}

function nameOf(element) {
  const by = element.getAttribute("aria-labelledby");
  if (by) {
    const parts = by.split(/\s+/).map((id) => document.getElementById(id));
    const joined = clean(parts.map((part) => (part ? text(part) : "")).join(" "));
    if (joined) return joined;
  }
  const label = clean(element.getAttribute("aria-label"));
  if (label) return label;
  if (element.labels?.length) return clean([...element.labels].map(text).join(" "));
  const fromContent = /^(alert|button|checkbox|heading|link|listitem|article|menuitem|option|radio|status|switch|tab)$/;
  if (fromContent.test(role)) {
    const content = clean(text(element));
    if (content) return content;
  }
  return clean(element.getAttribute("placeholder") ?? element.getAttribute("title"));
}

const native = SELECTORS[role] ? [...document.querySelectorAll(SELECTORS[role])] : [];
const candidates = [
  ...document.querySelectorAll(`[role="${role}"]`),
  ...native.filter((element) => !element.hasAttribute("role")),
];
candidates.sort((a, b) => (a.compareDocumentPosition(b) & Node.DOCUMENT_POSITION_FOLLOWING ? -1 : 1));

return candidates.filter((element) => {
  if (!shown(element)) return false;
  if (name === null) return true;
  return how === "is" ? nameOf(element) === name : nameOf(element).includes(name);
});

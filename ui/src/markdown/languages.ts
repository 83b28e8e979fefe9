/** The languages that code is coloured for. Each is a file of its own, loaded when it is first met. */
import type { LanguageFn } from "highlight.js";

type Loader = () => Promise<{ default: LanguageFn }>;

const LOADERS: Readonly<Record<string, Loader>> = {
  bash: () => import("highlight.js/lib/languages/bash"),
  c: () => import("highlight.js/lib/languages/c"),
  cpp: () => import("highlight.js/lib/languages/cpp"),
  csharp: () => import("highlight.js/lib/languages/csharp"),
  css: () => import("highlight.js/lib/languages/css"),
  diff: () => import("highlight.js/lib/languages/diff"),
  dockerfile: () => import("highlight.js/lib/languages/dockerfile"),
  go: () => import("highlight.js/lib/languages/go"),
  ini: () => import("highlight.js/lib/languages/ini"),
  java: () => import("highlight.js/lib/languages/java"),
  javascript: () => import("highlight.js/lib/languages/javascript"),
  json: () => import("highlight.js/lib/languages/json"),
  julia: () => import("highlight.js/lib/languages/julia"),
  kotlin: () => import("highlight.js/lib/languages/kotlin"),
  latex: () => import("highlight.js/lib/languages/latex"),
  makefile: () => import("highlight.js/lib/languages/makefile"),
  markdown: () => import("highlight.js/lib/languages/markdown"),
  matlab: () => import("highlight.js/lib/languages/matlab"),
  php: () => import("highlight.js/lib/languages/php"),
  powershell: () => import("highlight.js/lib/languages/powershell"),
  python: () => import("highlight.js/lib/languages/python"),
  r: () => import("highlight.js/lib/languages/r"),
  ruby: () => import("highlight.js/lib/languages/ruby"),
  rust: () => import("highlight.js/lib/languages/rust"),
  sql: () => import("highlight.js/lib/languages/sql"),
  swift: () => import("highlight.js/lib/languages/swift"),
  typescript: () => import("highlight.js/lib/languages/typescript"),
  xml: () => import("highlight.js/lib/languages/xml"),
  yaml: () => import("highlight.js/lib/languages/yaml"),
};

const ALIASES: Readonly<Record<string, string>> = {
  sh: "bash", shell: "bash", zsh: "bash", console: "bash", h: "c", "c++": "cpp", cc: "cpp", hpp: "cpp", cs: "csharp", "c#": "csharp",
  patch: "diff", docker: "dockerfile", golang: "go", toml: "ini", js: "javascript", jsx: "javascript", mjs: "javascript",
  json5: "json", jsonc: "json", jl: "julia", kt: "kotlin", tex: "latex", make: "makefile", md: "markdown", m: "matlab", ps1: "powershell",
  pwsh: "powershell", py: "python", python3: "python", rb: "ruby", rs: "rust", postgres: "sql", postgresql: "sql", sqlite: "sql",
  ts: "typescript", tsx: "typescript", html: "xml", svg: "xml", xhtml: "xml", yml: "yaml",
};

/** The language that a fence's first word means, or null when its code stays plain. */
export function languageOf(word: string): string | null {
  const name = word.toLowerCase();
  const language = Object.hasOwn(ALIASES, name) ? ALIASES[name] : name;
  return language !== undefined && Object.hasOwn(LOADERS, language) ? language : null;
}

export function loadLanguage(language: string): Promise<{ default: LanguageFn }> | null {
  return Object.hasOwn(LOADERS, language) ? (LOADERS[language]?.() ?? null) : null;
}

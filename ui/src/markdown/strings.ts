/** Every word that the renderer itself says. The app's catalogue re-exports it. */
export const markdownText = {
  copy: "Copy",
  copied: "Copied",
  copyFailed: "Not copied",
  copyCode: (language: string) => (language === "" ? "Copy code" : `Copy ${language} code`),
  code: (language: string) => (language === "" ? "Code" : `Code, ${language}`),
  copyCsv: "Copy as CSV",
  table: (columns: string) => (columns === "" ? "Table" : `Table: ${columns}`),
  loadImage: (host: string) => `Open image from ${host}`,
  imageWithoutText: "Image without a description",
  note: (number: number) => `Footnote ${number}`,
  notes: "Footnotes",
  backToText: (number: number) => `Back to the text of footnote ${number}`,
  done: "Done",
  notDone: "Not done",
  formulaNotRead: "This formula could not be read",
  control: (name: string) => `Direction control ${name}, shown so that it cannot reorder the code`,
} as const;

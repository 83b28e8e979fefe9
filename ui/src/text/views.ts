/** What the other views say. */
export const views = {
  locked: {
    title: "Tidemark is locked",
    passphrase: "Passphrase or recovery key",
    open: "Open",
    failedTitle: "Tidemark could not open",
    folder: "Its folder",
  },
} as const;

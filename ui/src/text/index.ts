/** The catalogue: every word that a person reads stands here, ready to be translated. */
import { markdownText } from "../markdown/strings";
import { account } from "./account";
import { composer, sidebar, states, thread, welcome } from "./chat";
import { common } from "./common";
import { imports } from "./import";
import { sync } from "./sync";
import { views } from "./views";

export const text = { ...common, sidebar, thread, states, composer, welcome, sync, account, imports, ...views, markdown: markdownText };

/** The page of `./dev bench` that measures the renderer; no part of the app. */
import "@fontsource-variable/inter/wght.css";
import "@fontsource-variable/jetbrains-mono/wght.css";
import "../src/styles/tokens.css";
import "../src/styles/base.css";
import "../src/styles/components.css";
import "../src/styles/app.css";
import { benchMarkdown } from "../src/markdown/bench";

const container = document.getElementById("answer");
if (container === null) throw new Error("the page has no place for an answer");
Object.assign(window, { measure: (chars: number) => benchMarkdown(container, chars) });

/** What an answer may contain that must stay inert (H1–H3 of the threat list). */
export const CANARY = "canary.example";

const URLS = [
  "javascript:alert(1)", "JaVaScRiPt:alert(1)", "java\tscript:alert(1)", "java&#10;script:alert(1)", "&#106;avascript:alert(1)",
  "\u0001javascript:alert(1)", "javascript&colon;alert(1)", "data:text/html,<script>alert(1)</script>", "data:image/svg+xml;base64,PHN2Zz4=",
  "file:///etc/passwd", "smb://canary.example/x", "\\\\canary.example\\x", "ms-msdt:/id", "vscode://x", "tauri://localhost", "ipc://localhost",
  "blob:https://canary.example/1", "http://canary.example", "//canary.example/x", "https:\\\\canary.example", "https://user:pw@canary.example",
  "https://bank.example@canary.example", "https://canary.example/\u202egnp.exe", "vbscript:x", "view-source:https://x.org", "/etc/passwd", "#top",
  "mailto:a@b.org?attach=/etc/passwd", "mailto:", "https://", "https:canary.example", " https://canary.example", "h\u200bttps://canary.example",
];

export const HOSTILE_URLS: readonly string[] = URLS;

export const HOSTILE: readonly string[] = [
  '<img src=x onerror="alert(1)">', `<img src="https://${CANARY}/a.png" srcset="https://${CANARY}/b.png 2x">`, "<script>alert(1)</script>",
  `text <script src="https://${CANARY}/x.js"></script> text`, '<svg onload="alert(1)"><script>1</script></svg>', '<svg><use href="data:image/svg+xml,x#y"/></svg>',
  '<iframe srcdoc="<script>alert(1)</script>"></iframe>', `<object data="https://${CANARY}"></object>`, `<embed src="https://${CANARY}">`,
  `<style>body{background:url(https://${CANARY}/c)}</style>`, `<p style="background:url(https://${CANARY}/c)">x</p>`, `<link rel=stylesheet href="https://${CANARY}">`,
  `<base href="https://${CANARY}/">`, `<meta http-equiv="refresh" content="0;url=https://${CANARY}">`, `<form action="https://${CANARY}"><button>x</button></form>`,
  `<video poster="https://${CANARY}"></video>`, "<math><mtext><mglyph><style><img src=x onerror=alert(1)></style></mglyph></mtext></math>",
  `![x](https://${CANARY}/p.png)`, `![x][r]\n\n[r]: https://${CANARY}/p.png`, `[![x](https://${CANARY}/p.png)](https://${CANARY})`, "![x](data:image/svg+xml,<svg/onload=alert(1)>)",
  `![x](https://${CANARY}/p.png "a\\" onerror=\\"alert(1)")`, `[x](https://x.org "\\" onclick=alert(1)")`, `| a |\n|---|\n| ![x](https://${CANARY}/t.png) <img src=x onerror=1> |`,
  `[^1]: ![x](https://${CANARY}/n.png) <img src=x onerror=1>\n\ntext[^1]`, `- ![x](https://${CANARY}/l.png)\n> <img src=https://${CANARY}>`,
  String.raw`$\href{javascript:alert(1)}{x}$ $\url{javascript:alert(1)}$ $\href{https://canary.example}{x}$`, String.raw`$\includegraphics{https://canary.example/x.png}$`,
  String.raw`$\htmlClass{x}{y} \htmlId{x}{y} \htmlStyle{background:url(https://canary.example)}{y} \htmlData{a=b}{y}$`, String.raw`$\unicode{<img src=x onerror=alert(1)>}$`,
  String.raw`$\color{red;background:url(https://canary.example)}{x}$ $\text{<img src=x onerror=alert(1)>}$`, String.raw`$\rule{1000000em}{1000000em}$`, String.raw`$\def\a{\a\a}\a$`,
  String.raw`$$\begin{array}{c}\\[99999999em]\end{array}$$`, "```html\n<img src=x onerror=alert(1)>\n<script>alert(1)</script>\n```", "```\" onmouseover=\"alert(1)\nx\n```",
  "`<img src=x onerror=alert(1)>`", "<https://x.org/\"onclick=alert(1)>", "<javascript:alert(1)>", "# <img src=x onerror=alert(1)>", "a\u202eb\u2066c", "&lt;img src=x onerror=alert(1)&gt;",
  "<!-- --><img src=x onerror=alert(1)><!-- -->", "<![CDATA[<img src=x>]]>", "<?php echo 1 ?>", "<a href=\"javascript:alert(1)\">x</a>", "<sub onclick=alert(1)>x</sub>", "<br onload=alert(1)>",
  ...URLS.flatMap((url) => [`[x](<${url}>)`, `[x](${url})`, `[x][r]\n\n[r]: <${url}>`, `<${url}>`, url, `![x](<${url}>)`, `[![x](<${url}>)](<${url}>)`]),
];

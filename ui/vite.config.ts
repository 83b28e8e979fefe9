import react from "@vitejs/plugin-react";
import { defineConfig } from "vitest/config";

export default defineConfig({
  plugins: [react()],
  clearScreen: false,
  // WebKitGTK 2.50, WKWebView of macOS 13 and WebView2 all read this.
  // Nothing is inlined: the content security policy takes fonts and pictures from files only.
  build: { target: "es2022", assetsInlineLimit: 0, modulePreload: { polyfill: false }, chunkSizeWarningLimit: 1200 },
  test: { include: ["src/**/*.test.{ts,tsx}"] },
});

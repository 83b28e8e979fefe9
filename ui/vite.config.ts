import react from "@vitejs/plugin-react";
import { defineConfig } from "vitest/config";

export default defineConfig({
  plugins: [react()],
  clearScreen: false,
  // WebKitGTK 2.50, WKWebView of macOS 13 and WebView2 all read this.
  build: { target: "es2022", modulePreload: { polyfill: false }, chunkSizeWarningLimit: 1200 },
  test: { include: ["src/**/*.test.{ts,tsx}"] },
});

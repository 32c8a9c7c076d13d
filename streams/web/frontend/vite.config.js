import { svelte } from "@sveltejs/vite-plugin-svelte";
import { defineConfig } from "vite";

// What is built is committed: names and bytes depend on the sources and the locked packages alone.
export default defineConfig({
  plugins: [svelte({ compilerOptions: { runes: true } })],
  build: {
    outDir: "../static",
    emptyOutDir: true,
    target: ["chrome88", "edge88", "firefox85", "safari14"],
    modulePreload: false,
    assetsInlineLimit: 0,
  },
});

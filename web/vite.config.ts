import react from '@vitejs/plugin-react'
import { defineConfig } from 'vite'

const server = process.env.RUNSTONE_URL ?? 'http://127.0.0.1:5000'

export default defineConfig({
  plugins: [react()],
  build: {
    // The server sends these pages from inside the package; dev/web.py says the same.
    outDir: '../src/runstone/static',
    emptyOutDir: true,
    // A data: URL would need an exception in the content security policy.
    assetsInlineLimit: 0,
    // The polyfill is an inline script's worth of code for browsers of 2021.
    modulePreload: { polyfill: false },
    chunkSizeWarningLimit: 400,
  },
  server: { proxy: { '/api': server, '/ajax-api': server } },
})

// Builds the page so that it runs under a strict content security policy: no inline script or style,
// nothing from other origins, nothing compiled at run time.
import vue from '@vitejs/plugin-vue';
import { defineConfig } from 'vitest/config';
import program from './package.json' with { type: 'json' };

export default defineConfig({
  plugins: [vue()],
  define: {
    'import.meta.env.VITE_VERSION': JSON.stringify(program.version),
    __VUE_OPTIONS_API__: 'false',
    __VUE_I18N_LEGACY_API__: 'false',
    __VUE_I18N_FULL_INSTALL__: 'false',
    __INTLIFY_PROD_DEVTOOLS__: 'false',
  },
  build: {
    target: 'es2022',
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    chunkSizeWarningLimit: 800,
  },
  server: { fs: { allow: ['..'] }, host: '127.0.0.1', port: 5173, strictPort: false },
  test: {
    environment: 'happy-dom',
    include: ['src/**/*.spec.ts'],
    restoreMocks: true,
    setupFiles: ['src/testing/setup.ts'],
  },
});

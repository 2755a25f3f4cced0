// Layers: features -> stores -> model -> wire; features -> components; stores -> host. Only host/ knows a platform.
import vue from 'eslint-plugin-vue';
import a11y from 'eslint-plugin-vuejs-accessibility';
import ts from 'typescript-eslint';

const platform = {
  regex: '^(@tauri-apps/|livekit-client)',
  message: 'Only host/ talks to a platform. Go through the Host interface.',
};
const layer = (name) => ({ regex: `(^|/)${name}(/|$)`, message: `This folder must not know ${name}/.` });
const forbid = (files, ...patterns) => ({
  files: files.map((f) => `src/${f}`),
  rules: { 'no-restricted-imports': ['error', { patterns }] },
});

export default ts.config(
  // public/old.js is written for browsers that know none of this.
  { ignores: ['dist/', 'node_modules/', 'public/', 'src/wire/generated.ts'] },
  ...ts.configs.strict,
  ...vue.configs['flat/recommended'],
  ...a11y.configs['flat/recommended'],
  {
    files: ['**/*.vue'],
    languageOptions: { parserOptions: { parser: ts.parser } },
  },
  {
    rules: {
      '@typescript-eslint/consistent-type-imports': 'error',
      '@typescript-eslint/no-non-null-assertion': 'error',
      'vue/block-lang': ['error', { script: { lang: 'ts' } }],
      'vue/component-api-style': ['error', ['script-setup']],
      'vue/define-macros-order': 'error',
      'vue/html-self-closing': ['error', { html: { void: 'never', normal: 'any', component: 'always' } }],
      'vue/max-attributes-per-line': 'off',
      'vue/max-lines-per-block': ['error', { template: 200, script: 160, style: 120 }],
      'vue/multi-word-component-names': 'off',
      'vue/no-v-html': 'error',
      'vue/require-default-prop': 'off',
      'vue/singleline-html-element-content-newline': 'off',
      'vue/no-static-inline-styles': 'error',
      'vuejs-accessibility/label-has-for': ['error', { required: { some: ['nesting', 'id'] } }],
      'vuejs-accessibility/no-autofocus': 'off',
      'no-console': 'error',
      eqeqeq: 'error',
    },
  },
  forbid(['main.ts', 'boundary.ts', 'App.vue', 'testing/**', 'features/**', 'composables/**'], platform),
  forbid(['components/**'], platform, layer('stores'), layer('host'), layer('features'), layer('model'), { regex: '^vue-i18n$', message: 'Words come in through props and slots.' }),
  forbid(['model/**'], platform, layer('stores'), layer('host'), layer('features'), layer('components'), { regex: '^(vue|pinia|vue-i18n)$', message: 'model/ is plain TypeScript.' }),
  forbid(['stores/**'], platform, layer('features'), layer('components')),
  forbid(['host/**'], layer('stores'), layer('features'), layer('components')),
  forbid(['wire/**'], platform, layer('stores'), layer('host'), layer('features'), layer('components'), layer('model')),
);

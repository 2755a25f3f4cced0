/** Composition root: host, stores, words, page. Nothing else is created here. */
import { createPinia } from 'pinia';
import { createApp } from 'vue';
import Root from './Root.vue';
import { catchAll, report } from './boundary';
import sprite from './components/icons.svg?raw';
import FailurePage from './features/failure/FailurePage.vue';
import { createHost } from './host/create';
import { hostKey } from './host/host';
import { createWords } from './i18n';
import { useFailure } from './stores/failure';
import './styles/index.css';

document.body.insertAdjacentHTML('afterbegin', sprite);

async function start() {
  const host = await createHost();
  const pinia = createPinia();
  const app = createApp(Root).provide(hostKey, host).use(pinia).use(createWords());
  catchAll(app, useFailure(pinia));
  app.mount('#app');
}
// old.js has told an old browser what to use instead.
if (document.documentElement.dataset['old'] === undefined) {
  start().catch((error: unknown) => {
    report(error);
    createApp(FailurePage, { start: true }).use(createWords()).mount('#app');
  });
}

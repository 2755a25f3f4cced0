/** Composition root: host, stores, words, page. Nothing else is created here. */
import { createPinia } from 'pinia';
import { createApp } from 'vue';
import App from './App.vue';
import sprite from './components/icons.svg?raw';
import { createHost } from './host/create';
import { hostKey } from './host/host';
import { createWords } from './i18n';
import './styles/index.css';

document.body.insertAdjacentHTML('afterbegin', sprite);
createApp(App).provide(hostKey, await createHost()).use(createPinia()).use(createWords()).mount('#app');

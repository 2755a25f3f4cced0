/** The system's switches: read at the start, and again whenever the person comes back from somewhere, perhaps the settings. */
import { onMounted, onScopeDispose } from 'vue';
import { HostFailure, useHost } from '../../../host/host';
import type { DeviceKind, TestFacts } from '../../../wire/generated';

export function usePermissions(facts: TestFacts, back: () => void) {
  const host = useHost();

  async function read() {
    try {
      facts.permissions = await host.call('check.permissions', null);
    } catch (error) {
      // A host that cannot tell leaves it open.
      if (!(error instanceof HostFailure)) throw error;
    }
  }
  async function openSettings(kind: DeviceKind) {
    try {
      await host.call('check.settings', kind);
    } catch (error) {
      // The steps beside the button say the way in words.
      if (!(error instanceof HostFailure)) throw error;
    }
  }
  const returned = () => void read().then(back);
  onMounted(() => {
    void read();
    addEventListener('focus', returned);
  });
  onScopeDispose(() => removeEventListener('focus', returned));
  return { openSettings };
}

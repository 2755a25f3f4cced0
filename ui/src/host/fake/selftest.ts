/** A self-test in which the line loses data. */
import type { SelfTest, TestPart } from '../../wire/generated';

const good: TestPart = { score: 'good', findings: [], remedies: [] };
const lossy: TestPart = { score: 'usable', findings: ['udpClosed', 'networkLossy'], remedies: ['askAdministratorUdp', 'usePhoneNetwork', 'useCable'] };

export const TESTED = (): SelfTest => ({
  takenAt: Date.now(),
  tookMs: 21_400,
  version: '0.1.0',
  facts: {
    camera: { name: 'seen', device: '集成摄像头', width: 1280, height: 720, fps: 29.8, firstMs: 420, brightness: 0.5, burnt: 0, contrast: 0.2, sharpness: 180, frozen: 0, flipped: false },
    microphone: { name: 'heard', device: 'USB 耳机麦克风', speechDb: -24, noiseDb: -62, peakDb: -9, clipped: 0, live: null },
    speaker: { name: 'played', device: 'USB 耳机', heard: true, headset: true, echo: null },
    network: { name: 'open', reach: 'open', tls: 'open', answer: 'open', channel: 'open', udp: 'closed', tcp: 'open', tunnel: 'open', proxy: false, rttMs: 64, jitterMs: 9, loss: 0.061, upBps: 3_200_000, downBps: 9_600_000, skewMs: -40 },
    computer: { system: 'Windows 10', webview: '109.0', cores: 4, busy: 0.1, memoryMib: 8_192, freeMemoryMib: 3_000, freeDiskMib: 40_000, power: { name: 'mains' }, saver: false, codec: [] },
    permissions: { camera: 'granted', microphone: 'granted' },
  },
  camera: good,
  microphone: good,
  speaker: good,
  network: lossy,
  computer: good,
  permissions: good,
  overall: lossy,
});

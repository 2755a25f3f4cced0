// Runs on the audio thread: hands on what a microphone gives, sample by sample, with the moment of the first. It keeps
// nothing and changes nothing.
const BLOCK = 1_024;

class Listener extends AudioWorkletProcessor {
  constructor() {
    super();
    this.block = new Float32Array(BLOCK);
    this.filled = 0;
    this.at = 0;
  }

  process([input]) {
    const samples = input[0];
    const count = samples ? samples.length : 128;
    if (this.filled === 0) this.at = currentFrame;
    // A source that is silent gives no channel at all.
    if (samples) this.block.set(samples, this.filled);
    else this.block.fill(0, this.filled, this.filled + count);
    this.filled += count;
    if (this.filled >= BLOCK) {
      this.port.postMessage({ at: this.at, samples: this.block.slice() });
      this.filled = 0;
    }
    return true;
  }
}

registerProcessor('listener', Listener);

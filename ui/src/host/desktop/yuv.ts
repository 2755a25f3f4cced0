/** Paints I420 planes: by a shader, or by the processor where there is no WebGL. BT.601, limited range, as openh264 has it. */

const VERTEX = `attribute vec2 at; varying vec2 uv;
void main() { uv = vec2(at.x, 1.0 - at.y); gl_Position = vec4(at * 2.0 - 1.0, 0.0, 1.0); }`;
const FRAGMENT = `precision mediump float; varying vec2 uv; uniform sampler2D y, u, v;
void main() {
  float l = 1.164 * (texture2D(y, uv).r - 0.0627); float cb = texture2D(u, uv).r - 0.502; float cr = texture2D(v, uv).r - 0.502;
  gl_FragColor = vec4(l + 1.596 * cr, l - 0.392 * cb - 0.813 * cr, l + 2.017 * cb, 1.0);
}`;

export type Painter = (planes: Uint8Array, width: number, height: number) => void;

export function yuvPainter(canvas: HTMLCanvasElement): Painter {
  const gl = canvas.getContext('webgl', { alpha: false, antialias: false, desynchronized: true });
  return gl ? shaderPainter(canvas, gl) : processorPainter(canvas);
}

function shaderPainter(canvas: HTMLCanvasElement, gl: WebGLRenderingContext): Painter {
  const program = gl.createProgram();
  for (const [type, text] of [[gl.VERTEX_SHADER, VERTEX], [gl.FRAGMENT_SHADER, FRAGMENT]] as const) {
    const shader = gl.createShader(type);
    if (!shader) return () => undefined;
    gl.shaderSource(shader, text);
    gl.compileShader(shader);
    gl.attachShader(program, shader);
  }
  gl.linkProgram(program);
  gl.useProgram(program);
  gl.bindBuffer(gl.ARRAY_BUFFER, gl.createBuffer());
  gl.bufferData(gl.ARRAY_BUFFER, new Float32Array([0, 0, 1, 0, 0, 1, 1, 1]), gl.STATIC_DRAW);
  const at = gl.getAttribLocation(program, 'at');
  gl.enableVertexAttribArray(at);
  gl.vertexAttribPointer(at, 2, gl.FLOAT, false, 0, 0);
  gl.pixelStorei(gl.UNPACK_ALIGNMENT, 1);
  for (const [unit, name] of ['y', 'u', 'v'].entries()) {
    gl.activeTexture(gl.TEXTURE0 + unit);
    gl.bindTexture(gl.TEXTURE_2D, gl.createTexture());
    for (const side of [gl.TEXTURE_WRAP_S, gl.TEXTURE_WRAP_T]) gl.texParameteri(gl.TEXTURE_2D, side, gl.CLAMP_TO_EDGE);
    for (const filter of [gl.TEXTURE_MIN_FILTER, gl.TEXTURE_MAG_FILTER]) gl.texParameteri(gl.TEXTURE_2D, filter, gl.LINEAR);
    gl.uniform1i(gl.getUniformLocation(program, name), unit);
  }
  return (planes, width, height) => {
    resize(canvas, width, height);
    gl.viewport(0, 0, width, height);
    const [w, h] = [(width + 1) >> 1, (height + 1) >> 1];
    let from = 0;
    for (const [unit, [pw, ph]] of ([[width, height], [w, h], [w, h]] as const).entries()) {
      gl.activeTexture(gl.TEXTURE0 + unit);
      gl.texImage2D(gl.TEXTURE_2D, 0, gl.LUMINANCE, pw, ph, 0, gl.LUMINANCE, gl.UNSIGNED_BYTE, planes.subarray(from, from + pw * ph));
      from += pw * ph;
    }
    gl.drawArrays(gl.TRIANGLE_STRIP, 0, 4);
  };
}

function processorPainter(canvas: HTMLCanvasElement): Painter {
  const g = canvas.getContext('2d', { alpha: false });
  return (planes, width, height) => {
    if (!g) return;
    resize(canvas, width, height);
    const image = g.createImageData(width, height);
    toRgba(planes, width, height, image.data);
    g.putImageData(image, 0, 0);
  };
}

/** I420 to RGBA, clamped by the array. */
export function toRgba(planes: Uint8Array, width: number, height: number, rgba: Uint8ClampedArray): void {
  const half = (width + 1) >> 1;
  const u = width * height;
  const v = u + half * ((height + 1) >> 1);
  for (let row = 0, out = 0; row < height; row += 1) {
    for (let column = 0; column < width; column += 1, out += 4) {
      const chroma = (row >> 1) * half + (column >> 1);
      const l = 1.164 * ((planes[row * width + column] ?? 0) - 16);
      const cb = (planes[u + chroma] ?? 0) - 128;
      const cr = (planes[v + chroma] ?? 0) - 128;
      rgba[out] = l + 1.596 * cr;
      rgba[out + 1] = l - 0.392 * cb - 0.813 * cr;
      rgba[out + 2] = l + 2.017 * cb;
      rgba[out + 3] = 255;
    }
  }
}

export function resize(canvas: HTMLCanvasElement, width: number, height: number): void {
  if (canvas.width !== width) canvas.width = width;
  if (canvas.height !== height) canvas.height = height;
}

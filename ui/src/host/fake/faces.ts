/** Pictures for the scripted hearing: a wall, a figure, a slow breath, so that it is seen to be alive. */

interface Look {
  wall: string;
  panel: string;
  coat: string;
  hair: string;
}

const LOOKS: Record<string, Look> = {
  judge: { wall: '#5d4f41', panel: '#665747', coat: '#191b1f', hair: '#272b31' },
  panel1: { wall: '#5d4f41', panel: '#665747', coat: '#2a3038', hair: '#6e7175' },
  panel2: { wall: '#5d4f41', panel: '#665747', coat: '#20242b', hair: '#2d2a2b' },
  clerk: { wall: '#4c5660', panel: '#566069', coat: '#1d2a38', hair: '#24272c' },
  plaintiff: { wall: '#707a7c', panel: '#a6b0b0', coat: '#4f4a54', hair: '#5b5d60' },
  agent1: { wall: '#5a6672', panel: '#647180', coat: '#1f2b3a', hair: '#30302f' },
  defendant: { wall: '#6b6f63', panel: '#7d8173', coat: '#3c4a45', hair: '#2c2c2b' },
  agent2: { wall: '#66605f', panel: '#78716f', coat: '#33303a', hair: '#3a3130' },
  third: { wall: '#5c6570', panel: '#6b747f', coat: '#4d5a68', hair: '#45474a' },
  witness: { wall: '#5c6570', panel: '#6b747f', coat: '#4d5a68', hair: '#45474a' },
};
const PLAIN: Look = { wall: '#5c6570', panel: '#6b747f', coat: '#4d5a68', hair: '#45474a' };
const FPS = 10;

/** Draws into `box` until the returned function is called. */
export function face(seat: string, box: HTMLElement): () => void {
  const canvas = document.createElement('canvas');
  canvas.className = 'picture';
  canvas.width = 640;
  canvas.height = 480;
  box.append(canvas);
  const look = LOOKS[seat] ?? PLAIN;
  const draw = () => paint(canvas, look, Math.sin(performance.now() / 900) * 3);
  draw();
  const timer = setInterval(draw, 1000 / FPS);
  return () => {
    clearInterval(timer);
    canvas.remove();
  };
}

function paint(canvas: HTMLCanvasElement, look: Look, breath: number): void {
  const g = canvas.getContext('2d');
  if (!g) return;
  g.fillStyle = look.wall;
  g.fillRect(0, 0, 640, 480);
  g.fillStyle = look.panel;
  g.fillRect(420, 40, 180, 200);
  g.fillRect(20, 20, 130, 300);
  g.fillStyle = look.coat;
  g.beginPath();
  g.ellipse(320, 470 + breath, 210, 160, 0, Math.PI, 0);
  g.fill();
  g.fillStyle = '#a0a7aa';
  g.fillRect(284, 270 + breath, 72, 60);
  g.fillStyle = '#b7bdc0';
  g.beginPath();
  g.ellipse(320, 220 + breath, 72, 88, 0, 0, 2 * Math.PI);
  g.fill();
  g.fillStyle = look.hair;
  g.beginPath();
  g.ellipse(320, 178 + breath, 78, 66, 0, Math.PI, 0);
  g.fill();
}

/** A page of text, for a shared screen. */
export function sheet(box: HTMLElement): () => void {
  const canvas = document.createElement('canvas');
  canvas.className = 'picture';
  canvas.width = 1280;
  canvas.height = 800;
  box.append(canvas);
  const g = canvas.getContext('2d');
  if (g) {
    g.fillStyle = '#eef0f2';
    g.fillRect(0, 0, 1280, 800);
    g.fillStyle = '#ffffff';
    g.fillRect(340, 40, 600, 760);
    g.fillStyle = '#1a2530';
    g.font = '700 34px serif';
    g.fillText('房屋交接单', 550, 120);
    g.fillStyle = '#b9bfc4';
    for (let y = 180; y < 720; y += 44) g.fillRect(400, y, y % 88 === 4 ? 320 : 480, 10);
  }
  return () => canvas.remove();
}

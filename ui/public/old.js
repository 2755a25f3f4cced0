// Before everything else, and in words that the oldest browser reads: whether this one can run the page at all. It
// looks for what the page needs and leaves the rest to it; the words stand here because nothing else has loaded yet.
(function () {
  var root = document.documentElement;

  function canMatchBehind() {
    try {
      return new RegExp('(?<!a)b').test('b');
    } catch (error) {
      return false;
    }
  }
  var able =
    'noModule' in document.createElement('script') &&
    typeof AbortSignal === 'function' &&
    typeof AbortSignal.timeout === 'function' &&
    typeof structuredClone === 'function' &&
    typeof Array.prototype.findLast === 'function' &&
    window.matchMedia('(width > 1px)').matches &&
    canMatchBehind();
  // Missing on an address that begins with http, however new the browser is.
  var secure = !!(window.crypto && crypto.randomUUID);
  if (able && secure) return;

  // The desktop program shows the page with what the system has.
  var inside = '__TAURI_INTERNALS__' in window;
  var words = inside && !able
    ? ['系统自带的网页组件版本太旧，不能参加庭审。', '请更新系统，或改用新版 Edge、Chrome 浏览器打开法院的网址。', 'The web component of this system is too old for a hearing. Update the system, or use a current Edge or Chrome.']
    : able && window.isSecureContext === false
      ? ['请用 https 开头的地址打开本页。', '浏览器只在安全的地址上允许使用摄像头和麦克风。', 'Open this page by its https address: browsers allow camera and microphone nowhere else.']
      : ['这个浏览器版本太旧，不能参加庭审。', '请更新浏览器，或改用新版 Edge、Chrome、Safari（iPhone 系统 16.4 以上），也可以使用明庭桌面软件。', 'This browser is too old for a hearing. Use a current Edge, Chrome or Safari (iOS 16.4 or later), or the desktop program.'];
  root.setAttribute('data-old', '');
  var box = document.createElement('main');
  box.className = 'old-browser';
  for (var i = 0; i < words.length; i += 1) {
    var line = document.createElement(i === 0 ? 'h1' : 'p');
    line.appendChild(document.createTextNode(words[i]));
    if (i === 2) line.setAttribute('lang', 'en');
    box.appendChild(line);
  }
  document.body.appendChild(box);
})();

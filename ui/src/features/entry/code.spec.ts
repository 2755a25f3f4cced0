import { describe, expect, it } from 'vitest';
import { checkDigitFits, codeWithin, pasted, readDigits, typed } from './code';

describe('the boxes of the code', () => {
  it.each([
    ['26031897', '26031897'],
    ['2603 1897', '26031897'],
    ['2603-1897', '26031897'],
    ['２６０３　１８９７', '26031897'],
    ['2603 18', '260318'],
    ['26a03', '2603'],
    ['2603189755', '26031897'],
    ['', ''],
  ])('typing %j leaves %j', (text, digits) => expect(typed(text)).toBe(digits));

  it.each([
    ['', '2603 1897', '26031897'],
    ['11', '26031897', '26031897'],
    ['2603', '18', '260318'],
    ['', '【法院】您的庭审码为 2603 1897，请于 2026 年 3 月 18 日登录', '26031897'],
    ['', '庭审码２６０３１８９７', '26031897'],
    ['26', '没有数字', '26'],
  ])('pasting onto %j the text %j gives %j', (before, text, digits) => expect(pasted(before, text)).toBe(digits));

  it('takes no code out of a longer number or out of two codes', () => {
    expect(codeWithin('电话 13800138000')).toBeNull();
    expect(codeWithin('26031897 与 26031898')).toBeNull();
  });

  it('reads nothing that is not a number', () => {
    expect(readDigits('12x4')).toBeNull();
    expect(readDigits(' 1　2-3—4 ')).toBe('1234');
  });

  it('notices every single wrong digit', () => {
    const right = [...'0123456789'].map((last) => `2603189${last}`).filter(checkDigitFits);
    expect(right).toHaveLength(1);
    const code = right[0] ?? '';
    for (let place = 0; place < 8; place += 1) {
      for (const digit of '0123456789') {
        const other = code.slice(0, place) + digit + code.slice(place + 1);
        expect(checkDigitFits(other)).toBe(other === code);
      }
    }
  });
});

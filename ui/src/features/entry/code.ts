// The eight boxes of the 庭审码 as a value: what typing, pasting and deleting make of them. Knows no element, and
// never says which digit is wrong.

/** Number of digits in a 庭审码. */
export const CODE_LENGTH = 8;

/** Digits typed so far, always packed to the left. */
export type CodeDigits = string;

const FULL_WIDTH_ZERO = 0xff10;
/** What people put between the digits: spaces of both widths, hyphens and dashes. */
const SEPARATORS = new Set([' ', '\t', '\n', '\r', '\u00a0', '\u3000', '-', '\u2010', '\u2013', '\u2014', '\uff0d']);

/** The digits of a text; `null` when it holds anything that is neither a digit nor a separator. */
export function readDigits(text: string): string | null {
  let digits = '';
  for (const c of text) {
    if (SEPARATORS.has(c)) continue;
    const at = c.codePointAt(0) ?? 0;
    if (c >= '0' && c <= '9') digits += c;
    else if (at >= FULL_WIDTH_ZERO && at <= FULL_WIDTH_ZERO + 9) digits += String(at - FULL_WIDTH_ZERO);
    else return null;
  }
  return digits;
}

/** What the boxes hold after the field's text became `text`: other characters are dropped, surplus digits too. */
export function typed(text: string): CodeDigits {
  const kept = [...text].map((c) => readDigits(c) ?? '').join('');
  return kept.slice(0, CODE_LENGTH);
}

/**
 * What the boxes hold after pasting `text`. A whole code replaces what was there, also out of the middle of a
 * message ("您的庭审码为 2603 1897，请…"); anything else is taken as typed at the end.
 */
export function pasted(before: CodeDigits, text: string): CodeDigits {
  return codeWithin(text) ?? typed(before + text);
}

/** The only run of exactly eight digits in a text, separators within it allowed. */
export function codeWithin(text: string): CodeDigits | null {
  const digit = '[0-9\\uff10-\\uff19]';
  const between = '[ \\u3000\\u00a0\\-\\u2010\\u2013\\u2014\\uff0d]?';
  const run = new RegExp(`(?<!${digit}|${digit}${between})${digit}(?:${between}${digit}){7}(?!${between}${digit})`, 'gu');
  const found = [...text.matchAll(run)].map((match) => readDigits(match[0]) ?? '');
  return found.length === 1 ? (found[0] ?? null) : null;
}

/** All eight are there. */
export function isComplete(digits: CodeDigits): boolean {
  return digits.length === CODE_LENGTH;
}

/** The last digit fits the others (Luhn, ISO/IEC 7812-1 annex B): a slip of the finger is told without asking. */
export function checkDigitFits(digits: CodeDigits): boolean {
  if (!isComplete(digits)) return false;
  const sum = [...digits].reverse().reduce((total, c, i) => {
    const value = Number(c) * (i % 2 === 1 ? 2 : 1);
    return total + Math.floor(value / 10) + (value % 10);
  }, 0);
  return sum % 10 === 0;
}

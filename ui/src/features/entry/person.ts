// What a person fills in when taking a seat, and what is wrong with it. Pure; the words are chosen by the page.

import type { AgentAuthority, AgentKind, Capacity, Role, Seat, SeatId } from '../../wire/generated';

/** As the form holds it. */
export interface PersonForm {
  who: 'party' | 'agent';
  name: string;
  idNumber: string;
  represents: SeatId | null;
  kind: AgentKind;
  licence: string;
  authority: AgentAuthority;
}

/** What is wrong with a field; each has its own sentence under `entry.case.problem`. */
export type FieldProblem =
  | 'codeIsParty'
  | 'codeIsAgent'
  | 'nameMissing'
  | 'nameTooLong'
  | 'idLength'
  | 'idInvalid'
  | 'representsMissing'
  | 'licenceMissing'
  | 'licenceLength';

/** Problems by field; a field that is right is left out. */
export type FormProblems = Partial<Record<'who' | 'name' | 'idNumber' | 'represents' | 'licence', FieldProblem>>;

/** Longest name the form takes, in characters; the longest registered names stay below. */
export const NAME_LIMIT = 50;
/** Digits of a 律师执业证号 or 法律工作者执业证号. */
export const LICENCE_LENGTH = 17;

/** Which parties an agent may say they stand for. */
const PARTY_ROLES: readonly Role[] = ['plaintiff', 'defendant', 'thirdParty'];

/** Text as a person means it: half-width digits and letters, no spaces around it or inside numbers. */
export function tidyNumber(text: string): string {
  return text.normalize('NFKC').replace(/[\s-]/gu, '').toUpperCase();
}

/** A name without surrounding or doubled spaces; spaces inside stay, for names that have them. */
export function tidyName(text: string): string {
  return text.normalize('NFC').replace(/[\s\u3000]+/gu, ' ').trim();
}

/** 公民身份号码 by GB 11643-1999: 17 digits, a birth date that exists, and the ISO 7064 MOD 11-2 check character. */
export function isIdNumber(text: string): boolean {
  if (!/^[1-9]\d{16}[\dX]$/u.test(text)) return false;
  const [year, month, day] = [Number(text.slice(6, 10)), Number(text.slice(10, 12)), Number(text.slice(12, 14))];
  const born = new Date(Date.UTC(year, month - 1, day));
  const dateExists = born.getUTCFullYear() === year && born.getUTCMonth() === month - 1 && born.getUTCDate() === day;
  return dateExists && year >= 1880 && checkCharacter(text.slice(0, 17)) === text[17];
}

function checkCharacter(digits: string): string {
  const sum = [...digits].reduce((total, c, i) => total + Number(c) * (2 ** (17 - i) % 11), 0);
  return '10X98765432'[sum % 11] ?? '';
}

/** Lawyers and legal workers carry a licence. */
export function needsLicence(kind: AgentKind): boolean {
  return kind === 'lawyer' || kind === 'legalWorker';
}

/** The capacity that goes with a seat; none of the two for witnesses, experts, interpreters and observers. */
export function capacityOfSeat(role: Role): PersonForm['who'] | null {
  if (role === 'agent') return 'agent';
  return PARTY_ROLES.includes(role) ? 'party' : null;
}

/** Whom an agent may stand for, the invited one first. */
export function representable(seat: Seat, others: readonly Seat[]): Seat[] {
  const parties = [seat, ...others].filter((one) => PARTY_ROLES.includes(one.role));
  return parties.sort((a, b) => Number(b.id === seat.represents) - Number(a.id === seat.represents));
}

/** The form as it starts for a seat. */
export function emptyForm(seat: Seat, others: readonly Seat[]): PersonForm {
  return {
    who: seat.role === 'agent' ? 'agent' : 'party',
    name: '',
    idNumber: '',
    represents: seat.represents ?? representable(seat, others)[0]?.id ?? null,
    kind: 'lawyer',
    licence: '',
    authority: 'general',
  };
}

/** What is wrong with a form for a seat. */
export function problemsOf(form: PersonForm, role: Role): FormProblems {
  const problems: FormProblems = {};
  const name = tidyName(form.name);
  if (name === '') problems.name = 'nameMissing';
  else if ([...name].length > NAME_LIMIT) problems.name = 'nameTooLong';
  const invited = capacityOfSeat(role);
  if (invited === null) return problems;
  // Everybody has a code of their own; the wrong one is told before anything else about the form.
  if (form.who !== invited) return { who: invited === 'party' ? 'codeIsParty' : 'codeIsAgent' };
  if (form.who === 'party') {
    const id = tidyNumber(form.idNumber);
    if (id !== '' && id.length !== 18) problems.idNumber = 'idLength';
    else if (id !== '' && !isIdNumber(id)) problems.idNumber = 'idInvalid';
    return problems;
  }
  if (form.represents === null) problems.represents = 'representsMissing';
  if (needsLicence(form.kind)) {
    const licence = tidyNumber(form.licence);
    if (licence === '') problems.licence = 'licenceMissing';
    else if (!new RegExp(`^\\d{${LICENCE_LENGTH}}$`, 'u').test(licence)) problems.licence = 'licenceLength';
  }
  return problems;
}

/** The form as the server takes it. Call it only for a form without problems. */
export function capacityOf(form: PersonForm, role: Role): Capacity {
  if (capacityOfSeat(role) === null) return { name: 'other' };
  if (form.who === 'party') return { name: 'party', idNumber: tidyNumber(form.idNumber) || null };
  if (form.represents === null) throw new Error('a form without problems says whom the agent stands for');
  return {
    name: 'agent',
    represents: form.represents,
    kind: form.kind,
    licence: needsLicence(form.kind) ? tidyNumber(form.licence) : null,
    authority: form.authority,
  };
}

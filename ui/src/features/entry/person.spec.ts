import { describe, expect, it } from 'vitest';
import type { Role, Seat } from '../../wire/generated';
import { capacityOf, emptyForm, isIdNumber, problemsOf, representable, tidyName, tidyNumber, type PersonForm } from './person';

const seat = (id: string, role: Role, represents: string | null = null): Seat => ({ id, role, title: id, name: id, represents, side: 'plaintiff' });
const plaintiff = seat('p', 'plaintiff');
const defendant = seat('d', 'defendant');
const agent = seat('a', 'agent', 'd');
const form = (set: Partial<PersonForm>): PersonForm => ({ ...emptyForm(agent, [plaintiff, defendant]), name: '张示例', ...set });

describe('公民身份号码', () => {
  it.each(['11010519491231002X', '440524188001010014'])('%s is one', (id) => expect(isIdNumber(id)).toBe(true));
  it.each([
    ['a wrong check character', '110105194912310021'],
    ['a day that does not exist', '110105194902300028'],
    ['a leading zero', '01010519491231002X'],
    ['fifteen digits', '110105491231002'],
    ['letters inside', '1101051949123100AX'],
  ])('%s is none', (_, id) => expect(isIdNumber(id)).toBe(false));
});

describe('what people type', () => {
  it('is read as they mean it', () => {
    expect(tidyNumber(' １１０105 1949-1231 002x ')).toBe('11010519491231002X');
    expect(tidyName('　张 示例 ')).toBe('张 示例');
  });

  it.each<[string, Partial<PersonForm>, Role, object]>([
    ['a name is needed', { who: 'party', name: ' 　' }, 'plaintiff', { name: 'nameMissing' }],
    ['a name has an end', { name: '张'.repeat(51) }, 'witness', { name: 'nameTooLong' }],
    ['the ID number is optional', { who: 'party', idNumber: '' }, 'plaintiff', {}],
    ['a short ID number', { who: 'party', idNumber: '110105' }, 'plaintiff', { idNumber: 'idLength' }],
    ['a wrong ID number', { who: 'party', idNumber: '110105194912310021' }, 'plaintiff', { idNumber: 'idInvalid' }],
    ['a party’s code is no agent’s', {}, 'plaintiff', { who: 'codeIsParty' }],
    ['an agent’s code is no party’s', { who: 'party' }, 'agent', { who: 'codeIsAgent' }],
    ['a lawyer has a licence', { licence: '' }, 'agent', { licence: 'licenceMissing' }],
    ['a licence has 17 digits', { licence: '0000 0000' }, 'agent', { licence: 'licenceLength' }],
    ['spaces in a licence are nothing', { licence: '1 2345 6789 0123 4567' }, 'agent', {}],
    ['a relative has no licence', { kind: 'relative' }, 'agent', {}],
    ['an agent stands for somebody', { represents: null, kind: 'relative' }, 'agent', { represents: 'representsMissing' }],
    ['a witness only has a name', { licence: 'x' }, 'witness', {}],
  ])('%s', (_, set, role, problems) => expect(problemsOf(form(set), role)).toEqual(problems));
});

describe('what the server gets', () => {
  it('an agent of the invited party, by default', () => {
    expect(capacityOf(form({ licence: '1 2345 6789 0123 4567' }), 'agent')).toEqual({
      name: 'agent', represents: 'd', kind: 'lawyer', licence: '12345678901234567', authority: 'general',
    });
  });
  it('no licence of a relative, even if one was typed before', () => {
    expect(capacityOf(form({ kind: 'relative', licence: '123' }), 'agent')).toMatchObject({ licence: null });
  });
  it('a party with or without the ID number', () => {
    expect(capacityOf(form({ who: 'party' }), 'plaintiff')).toEqual({ name: 'party', idNumber: null });
    expect(capacityOf(form({ who: 'party', idNumber: '11010519491231002x' }), 'plaintiff')).toEqual({ name: 'party', idNumber: '11010519491231002X' });
  });
  it('a witness as another', () => expect(capacityOf(form({}), 'witness')).toEqual({ name: 'other' }));
});

it('offers parties only, the invited one first', () => {
  expect(representable(agent, [plaintiff, seat('j', 'presidingJudge'), defendant]).map((one) => one.id)).toEqual(['d', 'p']);
});

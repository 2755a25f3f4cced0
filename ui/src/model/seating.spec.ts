import { describe, expect, it } from 'vitest';
import { away, person, T0 } from '../testing/build';
import { foremost, seatingOf, type Place } from './seating';

const ids = (places: Place[]) => places.map((p) => (p.name === 'seated' ? p.who.seat.id : `${p.who.seat.id}:${p.why}`)).join(' ');

describe('seatingOf', () => {
  it.each([
    [['j'], 'j'],
    [['a', 'j'], 'a j'],
    [['a', 'b', 'j'], 'a j b'],
    [['a', 'b', 'c', 'j'], 'c a j b'],
    [['a', 'b', 'c', 'd', 'j'], 'c a j b d'],
  ])('seats %j with the judge in the middle', (people, expected) => {
    const bench = people.map((id) => person(id, id === 'j' ? 'presidingJudge' : 'panelMember'));
    expect(ids(seatingOf(bench).bench)).toBe(expected);
  });

  it('seats an interpreter of the court beside the clerk, one of a party with the party, observers nowhere', () => {
    const s = seatingOf([person('c', 'clerk'), person('i', 'interpreter'), person('o', 'observer'), person('pi', 'interpreter', { side: 'plaintiff' })]);
    expect(ids(s.clerk)).toBe('c i');
    expect(ids(s.plaintiff)).toBe('pi');
    expect(Object.values(s).flatMap((one) => ('places' in one ? one.places : one)).map((place) => place.who.seat.id)).not.toContain('o');
  });

  it('keeps the seat of somebody who dropped and says why others are not there', () => {
    const s = seatingOf([
      person('here', 'plaintiff'),
      person('dropped', 'plaintiff', { state: away() }),
      person('late', 'plaintiff', { state: { name: 'invited' } }),
      person('testing', 'plaintiff', { state: { name: 'testing' } }),
      person('ready', 'plaintiff', { state: { name: 'waiting' } }),
      person('iso', 'plaintiff', { state: { name: 'isolated', reason: '', since: T0 } }),
    ]);
    expect(ids(s.plaintiff)).toBe('here dropped late:absent testing:coming ready:waiting iso:isolated');
  });

  it('gives the seat below to who is heard, else to third parties, else to the empty witness seat', () => {
    const third = person('t', 'thirdParty');
    const waiting = person('w', 'witness', { state: { name: 'witnessRoom' } });
    const heard = person('w', 'witness');
    const below = (...people: Parameters<typeof seatingOf>[0]) => {
      const { name, places } = seatingOf(people).below;
      return `${name} ${ids(places)}`.trim();
    };
    expect(below()).toBe('witness');
    expect(below(waiting)).toBe('witness w:witnessRoom');
    expect(below(third, waiting)).toBe('thirdParty t');
    expect(below(third, heard)).toBe('witness w t');
  });
});

describe('foremost', () => {
  const people = [person('j', 'presidingJudge'), person('p', 'plaintiff'), person('d', 'defendant')];
  it('prefers who speaks, then the floor, then the judge, and never oneself', () => {
    expect(foremost(people, ['d'], 'p', 'p')?.seat.id).toBe('d');
    expect(foremost(people, [], 'd', 'p')?.seat.id).toBe('d');
    expect(foremost(people, ['p'], 'p', 'p')?.seat.id).toBe('j');
    expect(foremost([person('p', 'plaintiff')], [], null, 'p')?.seat.id).toBe('p');
  });
});

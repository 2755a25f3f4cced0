import { expect, it } from 'vitest';
import { viewsOf } from './useViews';

it('tells device pixels, the largest box of a track, and 0 for what is not shown', () => {
  const boxes = [
    { slot: 1, width: 200, height: 150 },
    { slot: 1, width: 640, height: 360 },
    { slot: 2, width: 101, height: 75 },
  ];
  expect(viewsOf([1, 2, 3], boxes, 1.5)).toEqual([
    { slot: 1, width: 960, height: 540 },
    { slot: 2, width: 152, height: 113 },
    { slot: 3, width: 0, height: 0 },
  ]);
});

/** The rules of 法庭纪律, in the order of the page. */
export const RULES = ['obey', 'place', 'frame', 'record', 'witness', 'leave', 'fault'] as const;

/** What becomes of a fit whose time is over. */
import { expect, test } from 'vitest';
import { fitInTime } from '../../core/compute/fit-in-time.ts';
import type { FittedModel, Params } from '../../core/models/model.ts';

const candidate = { id: 0, family: 'boosting', params: { nEstimators: 100 } };

/** A machine that grows a round in so many milliseconds of a clock that nothing else moves. */
function machine(roundMilliseconds: number, milliseconds: number) {
  let now = 0;
  const fit = async (params: Params, onProgress: (done: number) => void): Promise<FittedModel> => {
    const rounds = Number(params['nEstimators']);
    for (let round = 1; round <= rounds; round++) {
      now += roundMilliseconds;
      onProgress(round / rounds);
    }
    return { params } as FittedModel;
  };
  return { fit, left: () => milliseconds - now };
}

test('it is whole where there is time', async () => {
  const { fit, left } = machine(10, 2100);
  expect((await fitInTime(candidate, left, fit)).params).toEqual({ nEstimators: 100 });
});

test('it has fewer rounds where there is not: what half of the time was enough for, with some to spare', async () => {
  const { fit, left } = machine(10, 1000);
  const { params } = await fitInTime(candidate, left, fit);
  expect(params['nEstimators']).toBe(35);
});

test('it is given up where fewer would be of no use, for all the time that there is', async () => {
  const { fit, left } = machine(10, 1000);
  await expect(fitInTime(candidate, left, fit, true)).resolves.toMatchObject({ params: { nEstimators: 100 } });
  const slow = machine(11, 1000);
  await expect(fitInTime(candidate, slow.left, slow.fit, true)).rejects.toMatchObject({ code: 'Unavailable' });
});

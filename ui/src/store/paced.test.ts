import { afterEach, beforeEach, expect, it, vi } from "vitest";
import { paced } from "./paced";

beforeEach(() => vi.useFakeTimers());
afterEach(() => vi.useRealTimers());

it("does the first at once, and all that follow together", () => {
  const work = vi.fn();
  const run = paced(work, 200);
  run();
  expect(work).toHaveBeenCalledTimes(1);
  for (let n = 0; n < 50; n++) run();
  expect(work).toHaveBeenCalledTimes(1);
  vi.advanceTimersByTime(200);
  expect(work).toHaveBeenCalledTimes(2);
  vi.advanceTimersByTime(1000);
  expect(work).toHaveBeenCalledTimes(2);
});

it("never leaves the last one undone", () => {
  const work = vi.fn();
  const run = paced(work, 200);
  run();
  vi.advanceTimersByTime(100);
  run();
  vi.advanceTimersByTime(100);
  expect(work).toHaveBeenCalledTimes(2);
});

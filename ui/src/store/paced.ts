/** Runs `work` at once, then at most once in so many milliseconds: whatever comes meanwhile is done at their end. */
export function paced(work: () => void, ms: number): () => void {
  let resting = false;
  let again = false;
  const run = () => {
    if (resting) {
      again = true;
      return;
    }
    resting = true;
    again = false;
    work();
    setTimeout(() => {
      resting = false;
      if (again) run();
    }, ms);
  };
  return run;
}

// An order comes as JSON on standard input; what it cost goes to standard output.
import { readFileSync } from 'node:fs';

export const order = JSON.parse(readFileSync(0, 'utf8'));

/** Runs `work`; answers with its time by the wall and of processors, in milliseconds. */
export async function measured(work) {
  const began = performance.now();
  const before = process.cpuUsage();
  await work();
  const { user, system } = process.cpuUsage(before);
  return { wall_ms: performance.now() - began, cpu_ms: (user + system) / 1000 };
}

export function expect(what, is, wanted) {
  if (is !== wanted) throw new Error(`${what}: ${is}, not ${wanted}`);
}

export function answer(cost) {
  console.log(JSON.stringify(cost));
  process.exit(0);
}

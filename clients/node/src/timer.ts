/** The longest time that a timer takes, in milliseconds: about 25 days. */
export const LONGEST = 2 ** 31 - 1;

/** Calls `action` after so many milliseconds. More than a timer takes is no limit: then it is never called. */
export function after(milliseconds: number, action: () => void): NodeJS.Timeout | undefined {
  return milliseconds > LONGEST ? undefined : setTimeout(action, milliseconds);
}

/** What `promise` gives within so many milliseconds, else undefined. */
export async function within<T>(promise: Promise<T>, milliseconds: number): Promise<T | undefined> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<undefined>((resolve) => {
    timer = after(milliseconds, () => resolve(undefined));
  });
  try {
    return await Promise.race([promise, late]);
  } finally {
    clearTimeout(timer);
  }
}

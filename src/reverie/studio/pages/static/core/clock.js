// The one place where a view that waits reads the time, so that a test can turn it.
export const clock = { now: () => performance.now() };

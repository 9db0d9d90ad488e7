/** Works on several items at the same time, and yields the results in the order of the items. */
export async function* inOrder<Item, Result>(
  items: readonly Item[],
  work: (item: Item) => Promise<Result>,
  atOnce = 32,
): AsyncGenerator<Result> {
  for (let start = 0; start < items.length; start += atOnce)
    yield* await Promise.all(items.slice(start, start + atOnce).map(work));
}

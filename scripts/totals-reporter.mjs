/** What node:test says of a test that was not asked for; that is no skip that anybody has to know of. */
const LEFT_OUT = 'test name does not match pattern';

/** A node:test reporter that ends with one JSON object: how many passed and failed, and what was skipped and why. */
export default async function* totals(events) {
  const found = { passed: 0, failed: 0, skipped: [] };
  for await (const { type, data } of events) {
    if (type !== 'test:pass' && type !== 'test:fail') continue;
    if (data.details?.type === 'suite' || data.skip === LEFT_OUT) continue;
    if (data.skip !== undefined && data.skip !== false)
      found.skipped.push({ name: data.name, reason: typeof data.skip === 'string' && data.skip !== '' ? data.skip : 'no reason given' });
    else if (type === 'test:pass' || data.todo !== undefined) found.passed += 1;
    else found.failed += 1;
  }
  yield JSON.stringify(found);
}

/** What node:test says of a test that was not asked for; that is no skip that anybody has to know of. */
const LEFT_OUT = 'test name does not match pattern';

/** A failure's words at the end of the run; the whole of it stands where it happened. */
const MESSAGE_MAX = 300;

/** A node:test reporter that ends with one JSON object: how many passed, and what failed or was skipped and why. */
export default async function* totals(events) {
  const found = { passed: 0, failed: [], skipped: [] };
  for await (const { type, data } of events) {
    if (type !== 'test:pass' && type !== 'test:fail') continue;
    if (data.details?.type === 'suite' || data.skip === LEFT_OUT) continue;
    if (data.skip !== undefined && data.skip !== false)
      found.skipped.push({ name: data.name, reason: typeof data.skip === 'string' && data.skip !== '' ? data.skip : 'no reason given' });
    else if (type === 'test:pass' || data.todo !== undefined) found.passed += 1;
    else found.failed.push({ name: data.name, reason: messageOf(data.details?.error) });
  }
  yield JSON.stringify(found);
}

function messageOf(error) {
  const text = String(error?.cause?.message ?? error?.message ?? error);
  return text.replace(/\s+/g, ' ').slice(0, MESSAGE_MAX);
}

import { toJsonSchema } from '@valibot/to-json-schema';
import { DOCUMENT_SCHEMAS } from '../results/index.js';

/**
 * One JSON Schema (draft 2020-12) for everything that `--json` prints: a document is one of the
 * kinds under `$defs`, told apart by its `schema` property. Unknown keys are allowed, so that a
 * later release's documents still validate.
 */
export function documentsJsonSchema(): Record<string, unknown> {
  const definitions = Object.entries(DOCUMENT_SCHEMAS).map(([kind, schema]) => {
    const { $schema: _, ...definition } = toJsonSchema(schema, { target: 'draft-2020-12', typeMode: 'input', errorMode: 'throw' });
    return [kind, definition] as const;
  });
  return {
    $schema: 'https://json-schema.org/draft/2020-12/schema',
    title: 'Tautline result documents',
    oneOf: definitions.map(([kind]) => ({ $ref: `#/$defs/${kind}` })),
    $defs: Object.fromEntries(definitions),
  };
}

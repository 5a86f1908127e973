import { DOCUMENT_SCHEMAS } from '../results/index.js';

/**
 * One JSON Schema for everything that `--json` prints: a document is one of the kinds under `$defs`,
 * told apart by its `schema` property. Unknown keys are allowed, so that a later release's documents
 * still validate. Draft 07, because every validator knows it.
 */
export async function documentsJsonSchema(): Promise<Record<string, unknown>> {
  const { toJsonSchema } = await import('@valibot/to-json-schema');
  const definitions = Object.entries(DOCUMENT_SCHEMAS).map(([kind, schema]) => {
    const { $schema: _, ...definition } = toJsonSchema(schema, {
      target: 'draft-07',
      typeMode: 'input',
      errorMode: 'throw',
      // A pair has two items and no more; the converter says only that there are at least two.
      overrideSchema: ({ jsonSchema }) => (Array.isArray(jsonSchema.items) ? { ...jsonSchema, maxItems: jsonSchema.items.length } : undefined),
    });
    return [kind, definition] as const;
  });
  return {
    $schema: 'http://json-schema.org/draft-07/schema#',
    title: 'Tautline result documents',
    oneOf: definitions.map(([kind]) => ({ $ref: `#/$defs/${kind}` })),
    $defs: Object.fromEntries(definitions),
  };
}

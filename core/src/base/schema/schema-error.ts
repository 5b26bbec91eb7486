/** What a schema compiler reports; ajv's ErrorObject in its verbose form. */
export interface SchemaError {
  keyword: string;
  /** JSON pointer. */
  instancePath: string;
  schemaPath: string;
  params: Record<string, unknown>;
  /** Set on what the schema of a property's name reports; its `propertyNames` error says the same. */
  propertyName?: string;
  message?: string;
  schema?: unknown;
  parentSchema?: Record<string, unknown>;
  data?: unknown;
}

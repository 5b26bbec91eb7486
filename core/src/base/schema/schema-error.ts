/** What a schema compiler reports; ajv's ErrorObject in its verbose form. */
export interface SchemaError {
  keyword: string;
  /** JSON pointer. */
  instancePath: string;
  schemaPath: string;
  params: Record<string, unknown>;
  /** Set on errors of the schema of a property's name. Its `propertyNames` error reports the same. */
  propertyName?: string;
  message?: string;
  schema?: unknown;
  parentSchema?: Record<string, unknown>;
  data?: unknown;
}

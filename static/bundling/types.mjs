/** Writes the TypeScript types of the graph document from its schema: `npm run types`. */
import { compile } from "json-schema-to-typescript";
import { readFile, writeFile } from "node:fs/promises";

const schema = JSON.parse(await readFile(new URL("../../app/schemas/graph.v1.json", import.meta.url), "utf8"));

/** A reference with a description beside it would become a second, numbered type of the same shape. */
const bareReferences = (value) => {
  if (Array.isArray(value)) return value.map(bareReferences);
  if (value === null || typeof value !== "object") return value;
  if ("$ref" in value) return { $ref: value.$ref };
  return Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, bareReferences(inner)]));
};

const banner = "/* Generated from app/schemas/graph.v1.json by `npm run types`; change the schema, not this file. */";
const options = { bannerComment: banner, additionalProperties: false, maxItems: -1, style: { printWidth: 120 } };
const target = new URL("../src/graph/document.ts", import.meta.url);
await writeFile(target, await compile(bareReferences(schema), "GraphDocument", options));

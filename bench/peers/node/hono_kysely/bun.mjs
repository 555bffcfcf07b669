import { Database } from "bun:sqlite";
import { Kysely } from "kysely";
import { BunSqliteDialect } from "kysely-bun-sqlite";
import { createService, onSQLite } from "./service.mjs";

const { PORT, BENCH_DATABASE } = process.env;
const dialect = new BunSqliteDialect({ database: new Database(BENCH_DATABASE) });
const app = createService(new Kysely({ dialect }), onSQLite);
Bun.serve({ hostname: "127.0.0.1", port: Number(PORT), fetch: app.fetch });

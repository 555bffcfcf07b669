import { serve } from "@hono/node-server";
import Database from "better-sqlite3";
import { Kysely, PostgresDialect, SqliteDialect } from "kysely";
import pg from "pg";
import { createService, onPostgreSQL, onSQLite } from "./service.mjs";

const { PORT, BENCH_DATABASE } = process.env;
const isPostgreSQL = BENCH_DATABASE.startsWith("postgresql:");
const dialect = isPostgreSQL
  ? new PostgresDialect({ pool: new pg.Pool({ connectionString: BENCH_DATABASE, max: 20 }) })
  : new SqliteDialect({ database: new Database(BENCH_DATABASE) });
const app = createService(new Kysely({ dialect }), isPostgreSQL ? onPostgreSQL : onSQLite);
serve({ fetch: app.fetch, hostname: "127.0.0.1", port: Number(PORT) });

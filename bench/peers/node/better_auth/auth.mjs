// Better Auth as its documentation sets it up, on SQLite or PostgreSQL.
import { betterAuth } from "better-auth";
import Database from "better-sqlite3";
import pg from "pg";

const { BENCH_DATABASE, BENCH_SECRET, BENCH_ORIGIN, BENCH_COOKIE_CACHE } = process.env;

const database = BENCH_DATABASE.startsWith("postgresql:")
  ? new pg.Pool({ connectionString: BENCH_DATABASE })
  : new Database(BENCH_DATABASE);

export const auth = betterAuth({
  database,
  secret: BENCH_SECRET,
  baseURL: BENCH_ORIGIN,
  emailAndPassword: { enabled: true },
  // In production it allows ten requests a second and address.
  rateLimit: { enabled: false },
  session: { cookieCache: { enabled: Boolean(BENCH_COOKIE_CACHE), maxAge: 90 * 86_400 } },
});

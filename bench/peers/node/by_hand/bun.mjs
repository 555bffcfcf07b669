// Bun.serve with one prepared statement of bun:sqlite.
import { hash } from "node:crypto";
import { Database } from "bun:sqlite";
import { answerOf, question, readToken, sqliteNow } from "./question.mjs";

const { PORT, BENCH_DATABASE } = process.env;
const statement = new Database(BENCH_DATABASE).query(question((number) => `?${number}`));
const headers = { "content-type": "application/json", "cache-control": "no-store" };

Bun.serve({
  hostname: "127.0.0.1",
  port: Number(PORT),
  fetch(request) {
    const token = readToken(request.headers.get("cookie"));
    const row = token && statement.get(hash("sha256", token, "buffer"), sqliteNow());
    return row ? new Response(answerOf(row), { headers }) : new Response(null, { status: 401 });
  },
});

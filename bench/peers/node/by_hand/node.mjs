// node:http with one prepared statement: better-sqlite3, or pg with many queries in flight.
import { hash } from "node:crypto";
import { createServer } from "node:http";
import Database from "better-sqlite3";
import pg from "pg";
import { answerOf, question, readToken, sqliteNow } from "./question.mjs";

const { PORT, BENCH_DATABASE } = process.env;

function answer(response, row) {
  if (!row) {
    response.writeHead(401, { "content-length": 0 }).end();
    return;
  }
  const body = answerOf(row);
  const headers = {
    "content-type": "application/json",
    "cache-control": "no-store",
    "content-length": Buffer.byteLength(body),
  };
  response.writeHead(200, headers).end(body);
}

function onSQLite(file) {
  const statement = new Database(file).prepare(question(() => "?"));
  return (request, response) => {
    const token = readToken(request.headers.cookie);
    const now = sqliteNow();
    answer(response, token && statement.get(hash("sha256", token, "buffer"), now, now));
  };
}

function onPostgreSQL(url) {
  const pool = new pg.Pool({ connectionString: url, max: 20 });
  const text = question((number) => `$${number}`);
  return async (request, response) => {
    const token = readToken(request.headers.cookie);
    if (!token) {
      answer(response, undefined);
      return;
    }
    const values = [hash("sha256", token, "buffer"), new Date()];
    const { rows } = await pool.query({ name: "check", text, values });
    answer(response, rows[0]);
  };
}

const isPostgreSQL = BENCH_DATABASE.startsWith("postgresql:");
const listener = isPostgreSQL ? onPostgreSQL(BENCH_DATABASE) : onSQLite(BENCH_DATABASE);
createServer(listener).listen(Number(PORT), "127.0.0.1");

// The question in Hono and Kysely, on this service's own tables.
import { createHash } from "node:crypto";
import { Hono } from "hono";
import { getCookie } from "hono/cookie";

const form = /^obs_[A-Za-z0-9_-]{43}$/;

// `now` gives the moment as the database keeps it, `moment` reads it.
export function createService(db, { now, moment }) {
  const app = new Hono();

  const find = (token) =>
    db
      .selectFrom("user_sessions as s")
      .innerJoin("users as u", "u.id", "s.user_id")
      .select([
        "s.id",
        "s.created_at",
        "s.authenticated_at",
        "s.authenticated_with",
        "s.expires_at",
        "s.idle_expires_at",
        "u.id as user_id",
        "u.email",
        "u.email_verified_at",
        "u.name",
        "u.role",
        "u.locale",
        "u.created_at as user_created_at",
      ])
      .where("s.token_hash", "=", createHash("sha256").update(token).digest())
      .where("s.parent_id", "is", null)
      .where("u.disabled_at", "is", null)
      .where("s.idle_expires_at", ">", now())
      .where("s.expires_at", ">", now())
      .executeTakeFirst();

  app.get("/session", async (c) => {
    const token = getCookie(c, "session", "host");
    const row = token && form.test(token) ? await find(token) : undefined;
    if (!row) return c.json({ code: "not_signed_in" }, 401);
    c.header("Cache-Control", "no-store");
    return c.json({
      user: {
        id: row.user_id,
        email: row.email,
        email_verified: row.email_verified_at !== null,
        name: row.name,
        role: row.role,
        locale: row.locale,
        created_at: moment(row.user_created_at),
      },
      session: {
        id: row.id,
        created_at: moment(row.created_at),
        authenticated_at: moment(row.authenticated_at),
        authenticated_with: row.authenticated_with,
        expires_at: moment(row.expires_at),
        idle_expires_at: moment(row.idle_expires_at),
      },
    });
  });
  return app;
}

// SQLite keeps moments as text that sorts, in UTC.
export const onSQLite = {
  now: () => new Date().toISOString().replace("T", " ").replace("Z", "000"),
  moment: (text) => `${text.replace(" ", "T")}Z`,
};
export const onPostgreSQL = { now: () => new Date(), moment: (date) => date.toISOString() };

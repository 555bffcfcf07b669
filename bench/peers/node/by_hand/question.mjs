// The question and the answer, as this service asks and gives them, on this service's own tables.
const columns = `
  s.id, s.created_at, s.authenticated_at, s.authenticated_with, s.expires_at, s.idle_expires_at,
  u.id AS user_id, u.email, u.email_verified_at, u.name, u.role, u.locale,
  u.created_at AS user_created_at`;

export const question = (placeholder) => `
  SELECT ${columns} FROM user_sessions s JOIN users u ON u.id = s.user_id
  WHERE s.token_hash = ${placeholder(1)} AND s.parent_id IS NULL AND u.disabled_at IS NULL
    AND s.idle_expires_at > ${placeholder(2)} AND s.expires_at > ${placeholder(2)}`;

const cookie = /(?:^|; ?)__Host-session=(obs_[A-Za-z0-9_-]{43})(?:;|$)/;

export const readToken = (header) => cookie.exec(header ?? "")?.[1];

// SQLite keeps moments as text that sorts, in UTC.
export const sqliteNow = () => new Date().toISOString().replace("T", " ").replace("Z", "000");

const moment = (value) =>
  typeof value === "string" ? `${value.replace(" ", "T")}Z` : value.toISOString();

export const answerOf = (row) =>
  JSON.stringify({
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

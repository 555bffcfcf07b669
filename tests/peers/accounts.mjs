// Everybody who names themselves at the login form has an account; what it says follows from the
// name, unless a test has said otherwise.

const arranged = new Map();

export function arrange(login, claims) {
  arranged.set(login, claims);
}

export async function findAccount(_ctx, login) {
  return { accountId: login, claims: async () => claimsOf(login) };
}

function claimsOf(login) {
  const claims = {
    sub: login,
    name: login.charAt(0).toUpperCase() + login.slice(1),
    preferred_username: login,
    ...(login.startsWith('noaddress') ? {} : {
      email: `${login}@example.org`,
      email_verified: !login.startsWith('unproved'),
    }),
    ...arranged.get(login),
  };
  return Object.fromEntries(Object.entries(claims).filter(([, value]) => value !== null));
}

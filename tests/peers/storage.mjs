// What the provider keeps, in memory and for all of its sets of keys: a provider with new keys
// goes on with the sessions, grants and tokens of the one before.

const models = new Map();

export class Storage {
  constructor(model) {
    if (!models.has(model)) models.set(model, new Map());
    this.rows = models.get(model);
  }

  async upsert(id, payload) {
    this.rows.set(id, payload);
  }

  async find(id) {
    return this.rows.get(id);
  }

  async findByUid(uid) {
    return this.#first((payload) => payload.uid === uid);
  }

  async findByUserCode(userCode) {
    return this.#first((payload) => payload.userCode === userCode);
  }

  async consume(id) {
    this.rows.get(id).consumed = Math.floor(Date.now() / 1000);
  }

  async destroy(id) {
    this.rows.delete(id);
  }

  async revokeByGrantId(grantId) {
    for (const [id, payload] of this.rows) {
      if (payload.grantId === grantId) this.rows.delete(id);
    }
  }

  #first(isIt) {
    return [...this.rows.values()].find(isIt);
  }
}

// Everything that clients were granted by one account ends, as when its owner withdraws it.
export function withdraw(accountId) {
  let withdrawn = 0;
  for (const rows of models.values()) {
    for (const [id, payload] of rows) {
      if (payload.accountId === accountId && payload.kind !== 'Session') {
        rows.delete(id);
        withdrawn += 1;
      }
    }
  }
  return withdrawn;
}

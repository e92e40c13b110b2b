// What the reader filters by, and which scopes pass.

const filters = {
  severities: new Set(),
  accounts: new Set(),
  sample: null,
  archived: null,
};

const isFiltered = () =>
  filters.severities.size > 0 || filters.accounts.size > 0 || filters.sample !== null || filters.archived !== null;

const passesAny = (set, value) => set.size === 0 || set.has(value);
const passesFlag = (wanted, value) => wanted === null || wanted === value;

const combinationPasses = (combination) =>
  passesAny(filters.accounts, combination[ACCOUNT]) &&
  passesAny(filters.severities, combination[SEVERITY]) &&
  passesFlag(filters.sample, combination[SAMPLE]) &&
  passesFlag(filters.archived, combination[ARCHIVED]);

// A finding passes if any combination of its scope does.
const passingScopes = () => report.scopes.map((scope) => scope.some(combinationPasses));

"""
The filter language of runs and experiments, and nothing about storage.

    metrics.loss < 0.1 AND (params.opt = 'adam' OR NOT tags.draft IS NOT NULL)

It is MLflow's language (3.18), with OR, NOT and parentheses.

- `grammar` reads a filter into a tree, `order` reads an `order_by`;
- `tree` is what they make, and how it is written back;
- `match` says what a tree means, over plain records: the slow truth that the
  SQL of `storage` is tested against;
- `fields` knows which names exist, `tokens` where a word ends.

## What we take that MLflow refuses

- OR, NOT, parentheses;
- keys with any sign but quotes, commas, brackets and comparisons without
  quoting: `metrics.val/loss-1`, `metrics.1`, `params.from`;
- IN and NOT IN on every text: `status IN ('FAILED', 'KILLED')`,
  `params.opt NOT IN ('adam')`;
- string values in backticks, where a doubled backtick is one: the only way to
  write a text that has both other quotes;
- blank filters, any spaces around an order, `IS  NOT  NULL` with wide spaces;
- every alias of an entity and of an attribute wherever its field may stand
  (`attr.name` in experiments, `"run name"` in an order).

## What MLflow's parser lets through and we refuse

- comparisons that it takes here and fails at later, in its store: `==`, `<>`,
  `RLIKE`, `params.x > 'a'`, `run_id = ('a')`, datasets as an order;
- `metrics. a` (the key is " a"), ``metrics.`a`.b`` (the key has its quotes),
  a bare `params.` (no key at all);
- lists as Python literals: `('a' 'b')`, `(('a'))`; a string means the same in
  a list as outside, so no backslash escapes either.
"""

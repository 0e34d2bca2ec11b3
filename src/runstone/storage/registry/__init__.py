"""
The registry: registered models, their versions, aliases and stages.

- `naming` says what a model and an alias may be called;
- `rows` finds and locks models, and makes records of rows;
- `models` and `versions` hold what they are named for, `sources` where a
  version came from;
- `aliases` and `stages` move, and `transitions` remembers every move;
- `search` finds models and versions.

Whatever changes a model first locks its row (`rows.lock`), and no other, so that
two servers never wait for each other in a circle, and what is written of one
model is written in one order.
"""

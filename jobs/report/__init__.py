"""The pages people read: a quarterly review and a report with charts, every figure from a query that is printed with it."""

-- A message that adds to an earlier one: it stands in its thread, and the earlier one is edited to the newest facts.
alter table outbox add column follows varchar;

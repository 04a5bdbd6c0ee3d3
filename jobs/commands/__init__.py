"""The commands by group: decide (demo, check, rank), look (explain, sql, schema, doctor), service, single steps."""

"""Pure: values in, values out; no file, network, clock or database. Imports only `data.records` and `data.errors`."""

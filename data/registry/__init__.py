"""use_cases.yaml -> UseCase records; every error of every file at once, each with file, line, key and fix.

The shape is the JSON Schema beside this folder (`data/use_cases.schema.json`); the loader checks files with it and fills
the records from it, so the two cannot drift. Nothing is chosen silently: a model must resolve to exactly one endpoint.
"""

from data.registry.load import Registry, Resolves, Team, load_registry, read_registry, schema

__all__ = ["Registry", "Resolves", "Team", "load_registry", "read_registry", "schema"]

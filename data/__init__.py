"""What is known and how it is kept. Imports no other room."""

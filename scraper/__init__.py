"""From the outside world to claims and beliefs. Imports `data`, never `recommender` or `jobs`."""

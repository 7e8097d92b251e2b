"""Alembic's migrations. One idea each; never edited once they have landed."""

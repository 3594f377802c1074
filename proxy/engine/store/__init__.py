"""The record: one SQLite file. What the engine answered is in it; all else is rebuilt from it."""

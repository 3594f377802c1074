"""A shop that no one here wrote: django-oscar as it comes from PyPI, with goods of our own on SQLite.

Only what every oscar project brings is ours: settings, URLs, goods (``goods.py``), and the server.
"""

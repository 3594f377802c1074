"""The other contestants, from packages: reverse proxies of Python, and page composers of other worlds.

``environments`` installs them, hash-locked, into folders of their own under ``.bench`` (PyPI's ``proxy.py``
also calls its package ``proxy``); ``apps`` and ``tailor`` are the few lines that each needs to run;
``through`` and ``composers`` start them as contestants.
"""

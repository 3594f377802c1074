"""The product beside nginx and beside the proxy as one would write it first, in one run, as ratios.

In reading order: ``page`` and ``answers`` (what is served), ``process`` and ``nginx`` (how servers are
started), ``plain_proxy`` (the proxy as one would write it first), ``contestants`` (who runs),
``load`` (a round with wrk), ``machine`` (where, and how noisy it was), ``contest`` (in turn, A B A B),
``curve`` (throughput over connections), ``figures`` (medians, spreads, ratios, goals), ``durability``
(events made durable a second), ``report`` and ``plot`` (Markdown, JSON, SVG). ``README.md`` says how to
run it and keeps the log of results.
"""

"""Events that the vendor has not acknowledged, kept on disk until it has.

In reading order: ``records`` (the nouns), ``store`` (what a store must do), ``schema``, ``file`` and
``sqlite`` (one store), ``folder`` (one file per worker, adopted under ``flock``), ``writer`` (the
thread that owns the store), ``outbox`` (what the rest of the program uses), ``retries`` (what a failure
means) and ``relay`` (the sender). ``docs/outbox.md`` tells what is promised and what is not.
"""

from proxy.outbox.folder import Folder
from proxy.outbox.outbox import Outbox
from proxy.outbox.records import Held, Priority, Record, State, Status, time_ordered_id
from proxy.outbox.relay import Relay

__all__ = ["Folder", "Held", "Outbox", "Priority", "Record", "Relay", "State", "Status", "time_ordered_id"]

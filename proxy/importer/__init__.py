"""Brings a shop's exports to the API: ``datacue-proxy import``.

In reading order: ``record``, ``charset``, ``source`` (bytes), ``csvfile``, ``jsonfile``, ``formats``
(records), ``unusable``, ``amounts``, ``moments``, ``values``, ``guide`` (fields), ``columns``,
``platforms``, ``items`` (what is sent), ``duplicates``, ``journal``, ``failed``, ``files`` (all of it read
and checked), ``catalogue``, ``upload``.
"""

from __future__ import annotations

from proxy.importer.amounts import Point
from proxy.importer.catalogue import read_catalogue
from proxy.importer.columns import Wishes, read_wishes
from proxy.importer.files import Checked, File, Problem, check, key_of, sendable, understand, write_all_failed
from proxy.importer.formats import FormatName, find_format
from proxy.importer.guide import RESOURCES, Resource, Verb
from proxy.importer.journal import Journal
from proxy.importer.platforms import NAMES, Index
from proxy.importer.source import Source, open_source
from proxy.importer.upload import Tally, Upload, UploadStopped

__all__ = [
    "NAMES",
    "RESOURCES",
    "Checked",
    "File",
    "FormatName",
    "Index",
    "Journal",
    "Point",
    "Problem",
    "Resource",
    "Source",
    "Tally",
    "Upload",
    "UploadStopped",
    "Verb",
    "Wishes",
    "check",
    "find_format",
    "key_of",
    "open_source",
    "read_catalogue",
    "read_wishes",
    "sendable",
    "understand",
    "write_all_failed",
]

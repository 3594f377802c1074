"""Indexes over what visitors did, each fed by one event at a time; and the lists made from them."""

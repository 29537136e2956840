"""Sends calls: signing, retries, circuit breakers, and what a reply means."""

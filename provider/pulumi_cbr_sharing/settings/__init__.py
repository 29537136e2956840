"""Credentials, endpoints and other settings, and the sources that they come from."""

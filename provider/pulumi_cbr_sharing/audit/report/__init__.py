"""The report of an audit; one module for each format."""

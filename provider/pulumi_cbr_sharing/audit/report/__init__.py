"""The report of an audit in every format, a file each."""

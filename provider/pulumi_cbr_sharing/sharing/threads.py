"""The threads for calls that are made at the same time: one pool for the whole process."""

from concurrent.futures import ThreadPoolExecutor


# Its threads are started when they are needed. No call submits another one, so the pool cannot wait for itself.
POOL = ThreadPoolExecutor(10, thread_name_prefix="cbr-sharing")

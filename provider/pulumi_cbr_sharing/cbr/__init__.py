"""The API of Cloud Backup and Recovery: one function for each call, with the call in a comment above it."""

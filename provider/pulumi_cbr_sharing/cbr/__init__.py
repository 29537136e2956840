"""The API of Cloud Backup and Recovery: one function a call, the API's own line above each."""

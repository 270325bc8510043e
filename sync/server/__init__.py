"""The sync server: it orders, keeps and answers, and can read nothing of it."""

"""How replicas and the server come to hold the same versions."""

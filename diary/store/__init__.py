"""The diary's local file, one idea a module; sqlite3 and sqlite-utils only."""

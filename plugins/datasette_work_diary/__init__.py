"""The diary's pages in Datasette."""

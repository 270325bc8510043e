"""The look that Datasette's pages and the client's page share."""

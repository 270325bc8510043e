"""What others can check: signatures, device lists, log leaves, receipts, the CSV for a dispute."""

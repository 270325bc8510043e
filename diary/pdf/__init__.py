"""Reports and invoices as PDF: `document` is the one door; needs `workdiary[print]` (R59, R61)."""

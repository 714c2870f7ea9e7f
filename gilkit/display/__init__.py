"""What results look like: what tables, charts and pages share."""

"""What asv measures of every commit. One module for each question; all ask gilkit's own measuring code."""

"""What is called: a kernel, a statement, a function; and what it costs to send."""

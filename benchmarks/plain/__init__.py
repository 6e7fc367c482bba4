"""The same job as a typical team would write it: a view, three chained tasks, a commit each."""

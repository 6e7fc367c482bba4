"""The use cases, one file each: receive, process, deliver, poll, sweep, dead letter, ..."""

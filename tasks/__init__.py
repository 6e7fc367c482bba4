"""Celery, and only Celery: queues, schedule and thin tasks that call the flows."""

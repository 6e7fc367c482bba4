"""The gateway's WSGI application: `granian --interface wsgi tasks.gateway:application`.

It stands here because its wake-ups leave through Celery.
"""

from __future__ import annotations

import atexit

from syncworkers import logs, sentry
from syncworkers.web import create_app
from syncworkers.web.patience import WhenReady, impatient
from tasks.celery import settings
from tasks.fleet import close, fleet

logs.configure(settings.environment)
sentry.init(settings.sentry_dsn, settings.environment)

atexit.register(close)

application = WhenReady(lambda: create_app(impatient(fleet())))

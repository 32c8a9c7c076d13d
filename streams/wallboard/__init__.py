"""What people look at: an HTTP API, a live stream and a web page over the figures that the workers put into Redis.

From Redis to the screen: ``store`` reads keys, ``items`` decodes them, ``reading`` makes one look of them, ``view`` and
``register`` know what changed since a client's last message, ``feed`` ticks, ``app`` serves. The page is in ``static``.

The page's address sets up a screen: ``?team=T1``, ``window=usual|5m|30m|today``, ``lang=zh|en``, ``rotate=1`` (long
lists turn their pages by themselves).
"""

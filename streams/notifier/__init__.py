"""Tells people and systems of incidents: follows the topic ``incidents``, decides who is to hear of a step, tells each once by its channel,
and keeps a journal of what was told.
"""

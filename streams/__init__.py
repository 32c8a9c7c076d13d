"""Deskpulse streams: events of calls, chats and tickets in, KPIs of agents, teams, queues and sites out.

Read the sub-packages in the order an event travels: ``contracts``, ``sources``, ``contacts`` and ``presence``, ``kpi``,
``windows``, ``alerts``, ``snapshot`` and ``facts``; then the wiring: ``app``, ``sinks``, ``wallboard``, ``cli``.
"""

"""Deskpulse streams: events of calls, chats and tickets in, KPIs of agents, teams, queues and sites out.

Read the sub-packages in the order an event travels: ``contracts``, ``sources``, ``contacts`` and ``presence``, ``entities`` with
``windows``, ``kpi`` and ``alerts``; then what runs them: ``kafka``, ``worker``, ``wallboard``, ``commands``.
"""

"""kafka-python's client, which says why no broker lets it in."""

from __future__ import annotations

from typing import Any

from kafka.errors import (
    KafkaConnectionError,
    KafkaError,
    KafkaTimeoutError,
    SaslAuthenticationFailedError,
    UnsupportedSaslMechanismError,
)
from kafka.net.compat import KafkaNetClient
from kafka.net.manager import KafkaConnectionManager
from kafka.net.selector import NetworkSelector

from streams.refusals import with_remedy

_REFUSED = (SaslAuthenticationFailedError, UnsupportedSaslMechanismError)
_HANG_UPS = 3  # that are no coincidence


class _Connections(KafkaConnectionManager):  # type: ignore[misc]
    """kafka-python's connections, which say why no broker lets them in. Its own (read in 3.0.12) log that and time out."""

    _obstacle: Exception | None = None
    _hang_ups = 0

    def bootstrap(self, timeout_ms: float | None = None, refresh: bool = True) -> None:
        """As before; the error says what was in the way last, and leaves no thread and no socket behind."""
        try:
            super().bootstrap(timeout_ms, refresh)
        except KafkaError as error:
            self.close()
            self._net.close()
            if isinstance(error, KafkaTimeoutError) and self._obstacle is not None:
                raise KafkaTimeoutError(f"{error.args[0]}: {with_remedy('Kafka', self._obstacle)}") from self._obstacle
            raise

    def get_connection(self, node_id: Any, **options: Any) -> Any:
        """As before; credentials that were refused are not tried again before there has been any connection."""
        if isinstance(self._obstacle, _REFUSED) and not self.bootstrapped:
            raise self._obstacle
        connection = super().get_connection(node_id, **options)
        connection.close_future.add_errback(lambda error: self._note(connection, error))
        return connection

    def _note(self, connection: Any, error: Exception) -> None:
        in_sasl = connection.sasl_enabled and connection.broker_version_data and not connection.init_future.succeeded()
        if in_sasl and isinstance(error, KafkaConnectionError) and not self.config["api_version"]:
            # A broker hangs up on whom it refuses; of its last words and that, the client often sees only that.
            self._hang_ups += 1
            kind = SaslAuthenticationFailedError if self._hang_ups >= _HANG_UPS else KafkaConnectionError
            error = kind("the broker hangs up in the SASL exchange, as it does on a wrong user, password or mechanism")
        self._obstacle = error


def client(**options: Any) -> KafkaNetClient:
    """A client for kafka-python's ``kafka_client`` setting.

    Where no broker lets it in, the KafkaError says what was in the way; where one refuses its user or password, it does so
    at once.
    """
    net = NetworkSelector(**options)
    return KafkaNetClient(net, _Connections(net, **options), **options)

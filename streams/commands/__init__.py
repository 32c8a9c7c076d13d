"""The commands of ``deskpulse``, by what people come for."""

"""What was measured on: the machine and the versions, as the results name them."""

from __future__ import annotations

import os
import platform
from pathlib import Path

import psutil

from deploy.local.kafka_jars import kafka_version


def machine() -> dict[str, str | int | float]:
    """Processor, cores, memory, system, Python and Kafka; and how busy the machine was when the run began."""
    return {
        "processor": _processor(),
        "cores": len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1,
        "memory_gb": round(psutil.virtual_memory().total / 2**30),
        "system": f"{platform.system()} {platform.release()}",
        "python": platform.python_version(),
        "kafka": kafka_version(),
        "load_before": round(os.getloadavg()[0], 2),
    }


def _processor() -> str:
    info = Path("/proc/cpuinfo")
    if info.is_file():
        for line in info.read_text(encoding="utf-8", errors="replace").splitlines():
            if line.startswith("model name"):
                return line.split(":", 1)[1].strip()
    return platform.processor() or platform.machine()

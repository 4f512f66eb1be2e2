"""What this machine gives for the bare cryptography of each item, in the same run.

Run as a program it measures one operation after the other and prints JSON; the benchmark runs two at once,
as the product has two workers at once, so that both share the processor's caches in the same way.
"""

from __future__ import annotations

import hashlib
import json
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path
from statistics import mean

import argon2
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa

ROOT = Path(__file__).resolve().parents[1]
MESSAGE = b"x" * 500  # about a token's signing input
SECRET = b"s" * 43
PROCESSES = 2

ES256_SIGN, RS256_SIGN, ES256_VERIFY = "ES256 signature", "RS256 signature", "ES256 verification"
SHA256, ARGON2ID = "SHA-256", "Argon2id"


def operations() -> dict[str, Callable[[], object]]:
    """Each operation with the library the product uses, and nothing around it."""
    curve_key = ec.generate_private_key(ec.SECP256R1())
    curve, public = ec.ECDSA(hashes.SHA256()), curve_key.public_key()
    signature = curve_key.sign(MESSAGE, curve)
    rsa_key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    hasher = argon2.PasswordHasher(time_cost=2, memory_cost=19 * 1024, parallelism=1)
    return {
        ES256_SIGN: lambda: curve_key.sign(MESSAGE, curve),
        RS256_SIGN: lambda: rsa_key.sign(MESSAGE, padding.PKCS1v15(), hashes.SHA256()),
        ES256_VERIFY: lambda: public.verify(signature, MESSAGE, curve),
        SHA256: lambda: hashlib.sha256(SECRET).hexdigest(),
        ARGON2ID: lambda: hasher.hash("a password of some length"),
    }


def cpu_ms(operation: Callable[[], object], seconds: float) -> float:
    """CPU milliseconds of one operation, over about ``seconds`` of doing it."""
    operation()
    count, batch, started = 0, 1, time.process_time()
    while (used := time.process_time() - started) < seconds:
        for _ in range(batch):
            operation()
        count += batch
        batch = min(batch * 2, 1000) if used < seconds / 10 else batch
    return used * 1000 / count


def measure(seconds: float) -> dict[str, float]:
    """CPU milliseconds of each operation: the mean of two processes that run at the same time."""
    command = [sys.executable, "-m", "bench.limits", str(seconds)]
    with ExitStack() as stack:
        running = [
            stack.enter_context(subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True))
            for _ in range(PROCESSES)
        ]
        for process in running:
            stack.callback(process.kill)
        answers = [json.loads(process.communicate()[0]) for process in running]
    return {name: mean(answer[name] for answer in answers) for name in answers[0]}


if __name__ == "__main__":
    print(json.dumps({name: cpu_ms(call, float(sys.argv[1])) for name, call in operations().items()}))

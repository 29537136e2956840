"""How calls are sent: signing, retries, the circuit breaker, and what an answer means."""

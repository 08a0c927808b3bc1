"""Settings and what they hold: ports, logins, sampling, the environment."""

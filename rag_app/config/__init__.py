"""Settings, logging, ports, logins, sampling, and the environment of libraries."""

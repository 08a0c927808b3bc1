"""Settings of the connections that `serve` takes."""

from pydantic import BaseModel, Field, field_validator

from rag_app.config.networks import Networks
from rag_app.config.ports import origin_of

# Of the files that a process may have open, connections take at most this share: stores need the others.
_SHARE = 2


class ConnectionSettings(BaseModel):
    """Fields of the settings."""

    max_connections: int = Field(
        512, ge=1, description="most connections to serve at once; at most half of the files it may open"
    )
    max_connections_per_address: int = Field(
        256, ge=1, description="most connections of one address at once, which several pages may share"
    )
    head_seconds: float = Field(
        20.0, gt=0, description="time for a request's head, so that a slow one keeps nobody out"
    )
    stall_seconds: float = Field(
        30.0,
        gt=0,
        description="time after which a request's body below 500 bytes/s, or an answer that is not taken, is "
        "cut off",
    )

    trusted_proxies: Networks = Field(
        (), description="proxies whose X-Forwarded-For names the client: addresses or networks, like 10.0.0.2"
    )

    public_url: str | None = Field(
        None,
        description="address at which a proxy, or a container's published port, shows the page: "
        "https://rag.example.org; it needs api_token and auth",
    )

    @field_validator("public_url")
    @classmethod
    def _origin(cls, url: str | None) -> str | None:
        return None if url is None else origin_of(url)

    @property
    def total_connections(self) -> int:
        """Most connections at once, within what the system lets this process open."""
        try:
            import resource
        except ImportError:  # a system without it
            return self.max_connections
        files, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
        if files == resource.RLIM_INFINITY:
            return self.max_connections
        return max(1, min(self.max_connections, files // _SHARE))

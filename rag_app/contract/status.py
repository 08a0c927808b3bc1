"""Who serves a library, and whether everything that it needs is in order."""

from pydantic import Field

from rag_app.contract.schema import Fields, Response


class HealthResponse(Response):
    """Who answers, and over which library."""

    application: str
    version: str
    pid: int
    data_dir: str
    collection: str = Field(description="the collection that is used where a request names none")
    logins: bool = Field(False, description="whether the page asks for a name and a password")


class TokenResponse(Response):
    """Where the API is, and the token that it wants."""

    url: str
    openai_base_url: str
    token: str | None
    lasts: bool = Field(description="whether the token is the same after the next start")
    serving: bool


class PageAddressResponse(Response):
    """Where the page opens."""

    address: str = Field(description="opens the page once, within fifteen minutes; with logins, always")


class CheckFields(Fields):
    """Something that doctor looked at."""

    name: str
    state: str = Field(description="ok, warning or error")
    detail: str
    mend: str | None = Field(description="the command or step that repairs it")


class DoctorResponse(Response):
    data_dir: str
    offline: bool
    checks: tuple[CheckFields, ...]

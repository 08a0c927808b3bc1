"""Requests and responses of the command line, HTTP and MCP: pydantic models, one file a subject."""
